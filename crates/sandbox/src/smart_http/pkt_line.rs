//! The framing of Git's protocol (<https://git-scm.com/docs/protocol-common>).

/// Appends one line.
pub(super) fn write(into: &mut Vec<u8>, line: &[u8]) {
    into.extend(format!("{:04x}", line.len() + 4).as_bytes());
    into.extend(line);
}

/// Appends the end of a section.
pub(super) fn flush(into: &mut Vec<u8>) {
    into.extend(b"0000");
}

/// The lines up to the first end of a section; what is not framed properly ends them too.
pub(super) fn lines(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while let Some((length, _)) = bytes.split_at_checked(4) {
        let length = std::str::from_utf8(length).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some((line, rest)) = length.filter(|length| *length > 4).and_then(|length| bytes.split_at_checked(length))
        else {
            break;
        };
        lines.extend(line.get(4..));
        bytes = rest;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_the_flush_and_at_nonsense() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"one");
        write(&mut bytes, b"two");
        flush(&mut bytes);
        bytes.extend(b"PACK");
        assert_eq!(lines(&bytes), [b"one", b"two"]);
        assert_eq!(lines(b"zzzz"), Vec::<&[u8]>::new());
        assert_eq!(lines(b"00ffshort"), Vec::<&[u8]>::new());
        assert_eq!(lines(b"00"), Vec::<&[u8]>::new());
    }
}
