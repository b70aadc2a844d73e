//! Documents and clips to send: small, whole, and made here.

/// A small whole PDF with this text in a comment.
#[must_use]
pub fn pdf(text: &str) -> Vec<u8> {
    let head = format!(
        "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
         2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n% {text}\n"
    );
    let table = head.len();
    let end = "xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 3 /Root 1 0 R >>";
    format!("{head}{end}\nstartxref\n{table}\n%%EOF\n").into_bytes()
}

/// A box of an MP4.
#[must_use]
pub fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], kind, content].concat()
}

/// An MP4 whose boxes are whole, with so many bytes of pictures.
#[must_use]
pub fn mp4(bytes: usize) -> Vec<u8> {
    let movie = [mp4_box(b"mvhd", &[0; 100]), mp4_box(b"trak", &[0; 40])].concat();
    [
        mp4_box(b"ftyp", b"mp42\0\0\0\0mp42isom"),
        mp4_box(b"moov", &movie),
        mp4_box(b"mdat", &vec![7; bytes]),
    ]
    .concat()
}

/// An empty ZIP archive.
#[must_use]
pub fn zip() -> Vec<u8> {
    [&b"PK\x05\x06"[..], &[0; 18]].concat()
}
