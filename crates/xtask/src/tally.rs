//! How many tests ran, read from the lines that libtest prints.

/// The sum of all `test result:` lines so far.
///
/// Fed with what the tests print, in pieces of any size.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that were not run, because their source says so.
    pub(crate) ignored: u64,
    /// The start of a line whose end has not been printed yet.
    unfinished: Vec<u8>,
}

impl Tally {
    /// Counts what another piece of output adds.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.unfinished);
                self.count(&String::from_utf8_lossy(&line));
            }
        }
    }

    /// Counts `test result: ok. 3 passed; 0 failed; 1 ignored; …`; `ok` may be wrapped in colours.
    fn count(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|result| result.split_once(". ")) else {
            return;
        };
        for count in counts.split(';') {
            let Some((number, what)) = count.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, passed: u64, failed: u64, ignored: u64) {
        for size in [1, 7, output.len().max(1)] {
            let mut tally = Tally::default();
            for piece in output.as_bytes().chunks(size) {
                tally.feed(piece);
            }
            assert_eq!(
                (tally.passed, tally.failed, tally.ignored),
                (passed, failed, ignored),
                "in pieces of {size} bytes: {output:?}"
            );
        }
    }

    #[test]
    fn the_results_of_all_targets_add_up() {
        check(
            "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; \
             0 filtered out; finished in 0.00s\n\n\
             test result: FAILED. 3 passed; 4 failed; 5 ignored; 0 measured; 0 filtered out; finished in 1.00s\n",
            5,
            4,
            5,
        );
    }

    #[test]
    fn colours_do_not_hide_a_result() {
        check(
            "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 6 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
             finished in 0.01s\n",
            6,
            0,
            0,
        );
    }

    #[test]
    fn what_is_not_a_result_is_not_counted() {
        check("", 0, 0, 0);
        check("a test result: ok. 9 passed; 9 failed;\n", 0, 0, 0);
        check("test result: a sentence; 9 passed\n9 passed; 9 failed\n", 0, 0, 0);
    }
}
