//! JSON of servers, strictly: what one reader would take and another refuse is refused.

use serde::Deserialize;

use super::NotUnderstood;

/// Levels of arrays and objects; no answer of a server needs a tenth of it.
const DEEPEST: usize = 100;

/// A number of tokens. One beyond 31 bits is no count, but a mistake.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub struct Size(u32);

impl TryFrom<u32> for Size {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        i32::try_from(number)
            .map(|_| Self(number))
            .map_err(|_| "a count beyond 31 bits")
    }
}

impl From<Size> for u32 {
    fn from(size: Size) -> Self {
        size.0
    }
}

/// The object in `payload`: all of it is UTF-8, and it is not nested deeply.
pub fn object<'p, T: Deserialize<'p>>(payload: &'p [u8]) -> Result<T, NotUnderstood> {
    let text = std::str::from_utf8(payload).map_err(|_| NotUnderstood)?;
    // serde would also take the fields of an object from an array, in their order.
    if text.trim_ascii_start().as_bytes().first() != Some(&b'{') || is_deep(payload) {
        return Err(NotUnderstood);
    }
    Ok(serde_json::from_str(text)?)
}

fn is_deep(payload: &[u8]) -> bool {
    if payload.len() <= DEEPEST || memchr::memchr2_iter(b'[', b'{', payload).count() <= DEEPEST {
        return false;
    }
    let mut depth = 0_usize;
    let mut is_text = false;
    let mut is_escaped = false;
    for byte in payload {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::{Size, object};

    fn nested(levels: usize) -> String {
        let inner = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!("{{\"x\":{inner}}}")
    }

    #[test]
    fn what_is_not_nested_deeply_is_read() {
        assert!(object::<IgnoredAny>(nested(99).as_bytes()).is_ok());
        assert!(object::<IgnoredAny>(nested(100).as_bytes()).is_err());
        assert!(object::<IgnoredAny>(nested(1_000_000).as_bytes()).is_err());
        let text = format!("{{\"x\":\"{}\\\"\"}}", "[".repeat(500));
        assert!(object::<IgnoredAny>(text.as_bytes()).is_ok());
    }

    #[test]
    fn only_objects_in_utf8_are_messages() {
        for payload in [
            &b"[]"[..],
            b"3",
            b"",
            b"{\"x\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(object::<IgnoredAny>(payload).is_err(), "{payload:?}");
        }
    }

    #[test]
    fn a_count_has_31_bits() {
        assert!(serde_json::from_str::<Size>("2147483647").is_ok());
        for text in [
            "2147483648",
            "-1",
            "1.0",
            "1e3",
            "true",
            "18446744073709551616",
        ] {
            assert!(serde_json::from_str::<Size>(text).is_err(), "{text}");
        }
    }
}
