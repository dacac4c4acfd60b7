//! Where the next page is, as the header `Link` says (RFC 8288).

use http::{HeaderMap, header};
use url::Url;

/// The longest query of a next page that is asked for, in bytes; the longest, at Amazon, have some thousand.
const LONGEST: usize = 8 * 1024;

/// The query of the next page, of which the answer to `asked` tells; `None` when that was the last.
///
/// Only the query is taken from a link: whatever it says, nobody else is asked, and about nothing else. The scheme does
/// not count, because registries behind a proxy that ends TLS may not know their own.
pub(super) fn next(headers: &HeaderMap, asked: &Url) -> Result<Option<String>, &'static str> {
    let mut target = None;
    for value in headers.get_all(header::LINK) {
        let links = value.to_str().ok().and_then(targets).ok_or("its link to the next page can not be read")?;
        target = target.or(links);
    }
    let Some(target) = target else { return Ok(None) };
    let next = asked.join(target).map_err(|_error| "its link to the next page can not be read")?;
    if (next.host_str(), next.port()) != (asked.host_str(), asked.port()) {
        return Err("its link to the next page leads to another host");
    }
    if next.path() != asked.path() {
        return Err("its link to the next page leads to another path");
    }
    let query = next.query().unwrap_or_default();
    if query.len() > LONGEST {
        return Err("its link to the next page is too long");
    }
    Ok(Some(query.to_owned()))
}

/// The first target of the relation `next` among the links of a header; nothing outside when they can not be read.
#[expect(clippy::option_option, reason = "unreadable is something else than absent")]
fn targets(mut rest: &str) -> Option<Option<&str>> {
    let mut found = None;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return Some(found);
        }
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (is_next, after) = parameters(after)?;
        if is_next {
            found = found.or(Some(target));
        }
        rest = after;
    }
}

/// Whether the parameters of a link name the relation `next`, and what comes after them. The first `rel` counts.
fn parameters(mut rest: &str) -> Option<(bool, &str)> {
    let mut relation: Option<&str> = None;
    loop {
        rest = rest.trim_start();
        let Some(after) = rest.strip_prefix(';') else {
            let is_next =
                relation.is_some_and(|all| all.split_whitespace().any(|one| one.eq_ignore_ascii_case("next")));
            return (rest.is_empty() || rest.starts_with(',')).then_some((is_next, rest));
        };
        let after = after.trim_start();
        let (name, after) = after.split_at(after.find(['=', ';', ',']).unwrap_or(after.len()));
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(value) => match value.strip_prefix('"') {
                Some(quoted) => quoted_string(quoted)?,
                None => value.split_at(value.find([';', ',']).unwrap_or(value.len())),
            },
        };
        if name.trim().eq_ignore_ascii_case("rel") {
            relation = relation.or(Some(value));
        }
        rest = after;
    }
}

/// A text up to the quotation mark that ends it, as written, and what comes after that.
fn quoted_string(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(links: &[&str], expected: Result<Option<&str>, &str>) {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(header::LINK, link.parse().unwrap());
        }
        let asked = "https://r.example/v2/shop/app/tags/list?n=1000".parse().unwrap();
        let found = next(&headers, &asked);
        assert_eq!(found.as_ref().map(Option::as_deref).map_err(|why| *why), expected, "{links:?}");
    }

    #[test]
    fn the_next_page_is_found_however_a_registry_writes_its_link() {
        let second = Ok(Some("last=b&n=2"));
        for link in [
            r#"</v2/shop/app/tags/list?last=b&n=2>; rel="next""#,
            r#"<https://r.example/v2/shop/app/tags/list?last=b&n=2>; rel="next""#,
            r#"<https://r.example:443/v2/shop/app/tags/list?last=b&n=2>;rel=next"#,
            r#"<http://r.example/v2/shop/app/tags/list?last=b&n=2>; rel="next""#,
            r#"<//r.example/v2/shop/app/tags/list?last=b&n=2>; rel="next""#,
            r#"<?last=b&n=2>; rel="next""#,
            r#"<list?last=b&n=2>; rel="next""#,
            r#"<list?last=b&n=2> ; title="a, \"b\"; rel=last" ; REL = "prev NEXT"; x"#,
            r#"<?n=1>; rel="first", <?last=b&n=2>; rel="next""#,
            r#"<?a=,;>; rel=last,, <?last=b&n=2>; rel=next; rel=prev, <?n=3>; rel=next"#,
            r#"<https://u:p@r.example/v2/shop/app/tags/list?last=b&n=2#x>; rel="next""#,
        ] {
            check(&[link], second);
        }
        check(&[r"</style.css>; rel=preload", r#"<?last=b&n=2>; rel="next""#], second);
        check(&["<?next_page=gAAAAABg%3D%3D&n=50>; rel=\"next\""], Ok(Some("next_page=gAAAAABg%3D%3D&n=50")));
        check(&["<list>; rel=next"], Ok(Some("")));
    }

    #[test]
    fn there_is_no_next_page_where_no_link_says_so() {
        check(&[], Ok(None));
        for link in ["", ",", "<?n=1>", r#"<?n=1>; rel="prev""#, "<?n=1>; rel=nexte", "<?n=1>; rel=prev; rel=next"] {
            check(&[link], Ok(None));
        }
        check(&["<https://elsewhere.example/>; rel=help"], Ok(None));
    }

    #[test]
    fn a_link_to_elsewhere_is_refused() {
        for link in [
            "https://elsewhere.example/v2/shop/app/tags/list?n=2",
            "//elsewhere.example/v2/shop/app/tags/list?n=2",
            "https://r.example:8443/v2/shop/app/tags/list?n=2",
            "https://r.example@elsewhere.example/v2/shop/app/tags/list",
            "mailto:a@r.example",
        ] {
            check(&[&format!("<{link}>; rel=next")], Err("its link to the next page leads to another host"));
        }
        for link in ["/v2/shop/other/tags/list?n=2", "/", "../list", "/v2/shop/app/tags/list/?n=2", "..?n=2"] {
            check(&[&format!("<{link}>; rel=next")], Err("its link to the next page leads to another path"));
        }
    }

    #[test]
    fn a_link_that_can_not_be_read_is_not_taken_for_the_end() {
        for link in ["/v2/shop/app/tags/list?n=2; rel=next", "<?n=2; rel=next", "<?n=2>; rel=\"next", "<?n=2> rel=next"]
        {
            check(&[link], Err("its link to the next page can not be read"));
        }
        check(&["<https://[>; rel=next"], Err("its link to the next page can not be read"));
        check(&[&format!("<?{}>; rel=next", "a".repeat(LONGEST + 1))], Err("its link to the next page is too long"));
    }
}
