//! What is accepted as evidence: photos, documents, clips, told apart by their first bytes.

/// Bytes of a file's beginning that tell what it is.
pub const FIRST_BYTES: usize = 12;

/// The major brands of MP4 files (ISO/IEC 14496-12 and -14, and what phones and cameras write).
/// Pictures in the same container (HEIC, AVIF) and QuickTime have brands of their own.
pub const MP4_BRANDS: &[&[u8; 4]] = &[
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41",
    b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash",
];

/// What is accepted as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// JPEG (ISO/IEC 10918-1).
    Jpeg,
    /// PNG (W3C).
    Png,
    /// WebP (RFC 9649).
    Webp,
    /// PDF (ISO 32000).
    Pdf,
    /// MP4 (ISO/IEC 14496-14).
    Mp4,
}

impl MediaType {
    /// Every type.
    pub const ALL: &'static [Self] = &[Self::Jpeg, Self::Png, Self::Webp, Self::Pdf, Self::Mp4];

    /// The media type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Mp4 => "video/mp4",
        }
    }

    /// The type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ty| ty.as_str() == name)
    }

    /// Which of the limits on photos, documents and clips it is held to.
    pub const fn most_bytes(self, photo: u64, document: u64, clip: u64) -> u64 {
        match self {
            Self::Jpeg | Self::Png | Self::Webp => photo,
            Self::Pdf => document,
            Self::Mp4 => clip,
        }
    }

    /// Whether it is a picture, which has pixels and can have a thumbnail.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp)
    }

    /// The type that a file begins like; names of files lie. What begins like one may still be
    /// damaged or something else: whoever stores it looks further.
    pub fn of_first_bytes(first: &[u8]) -> Option<Self> {
        let at = |range: std::ops::Range<usize>| first.get(range);
        if first.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if first.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if at(0..4) == Some(b"RIFF") && at(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else if first.starts_with(b"%PDF-") {
            Some(Self::Pdf)
        } else if at(4..8) == Some(b"ftyp")
            && MP4_BRANDS.iter().any(|brand| at(8..12) == Some(&brand[..]))
        {
            Some(Self::Mp4)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let of = MediaType::of_first_bytes;
        assert_eq!(of(b"\xff\xd8\xff\xe0"), Some(MediaType::Jpeg));
        assert_eq!(of(b"RIFF\0\0\0\0WEBP"), Some(MediaType::Webp));
        assert_eq!(of(b"RIFF\0\0\0\0WAVE"), None);
        assert_eq!(of(b"%PDF-1.7\n"), Some(MediaType::Pdf));
        assert_eq!(of(b"\n%PDF-1.7\n"), None, "not at the beginning");
        assert_eq!(of(b"\0\0\0\x18ftypmp42"), Some(MediaType::Mp4));
        for other in [
            b"\0\0\0\x18ftypheic",
            b"\0\0\0\x18ftypqt  ",
            b"\0\0\0\x18moovisom",
        ] {
            assert_eq!(of(other), None);
        }
        assert_eq!(of(b""), None);
    }

    #[test]
    fn names_read_back() {
        for ty in MediaType::ALL {
            assert_eq!(MediaType::from_name(ty.as_str()), Some(*ty));
        }
        assert_eq!(MediaType::from_name("text/html"), None);
    }
}
