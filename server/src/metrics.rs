//! Counters for whoever watches the server, in the text format of Prometheus.

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::failure::Failure;

/// All counters of one server.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Requests by method and status class.
    pub requests: IntCounterVec,
    /// Seconds a request took.
    pub request_seconds: Histogram,
    /// Pushed commands by outcome.
    pub pushed: IntCounterVec,
    /// Events added to the audit chain in the last round.
    pub sealed_last_round: IntGauge,
    /// Failed jobs.
    pub jobs_failed: IntGauge,
}

impl Metrics {
    /// Fresh counters.
    ///
    /// # Errors
    /// When a name is given twice, which is a defect.
    pub fn new() -> Result<Self, Failure> {
        Self::build().map_err(|error| Failure::Internal(format!("metrics: {error}")))
    }

    fn build() -> prometheus::Result<Self> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(name, help), labels)
        };
        let metrics = Self {
            registry: Registry::new(),
            requests: counters(
                "hazardloop_http_requests_total",
                "HTTP requests answered",
                &["method", "status"],
            )?,
            request_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "hazardloop_http_request_seconds",
                    "Time to answer a request",
                )
                .buckets(vec![0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]),
            )?,
            pushed: counters(
                "hazardloop_pushed_commands_total",
                "Commands pushed by devices, by outcome",
                &["outcome"],
            )?,
            sealed_last_round: IntGauge::new(
                "hazardloop_audit_sealed_last_round",
                "Events added to the audit chain in the last round",
            )?,
            jobs_failed: IntGauge::new("hazardloop_jobs_failed", "Jobs given up")?,
        };
        metrics
            .registry
            .register(Box::new(metrics.requests.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.request_seconds.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.pushed.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.sealed_last_round.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.jobs_failed.clone()))?;
        Ok(metrics)
    }

    /// Everything, as text.
    ///
    /// # Errors
    /// When the text cannot be made, which is a defect.
    pub fn render(&self) -> Result<String, Failure> {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .map_err(|error| Failure::Internal(format!("metrics: {error}")))
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(..)")
    }
}
