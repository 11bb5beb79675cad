//! Points as InfluxDB's line protocol.

use std::fmt::Write;
use std::ops::Range;

/// Room that a point usually needs, in octets.
const USUAL_BYTES: usize = 384;

/// A point that has no time yet. Without one InfluxDB would give it its own, and a point that is written again would be
/// there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    text: String,
    has_fields: bool,
}

/// A point with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedLine(Line);

impl Line {
    /// Begins a point. Names of measurements, tags and fields, and values of tags cannot hold a backslash or a control
    /// character: those become `/` and a space.
    pub fn new(measurement: &str) -> Line {
        // A line that begins with it is a comment, and skipped without a word.
        let (sign, rest) = match measurement.strip_prefix('#') {
            Some(rest) => ("_", rest),
            None => ("", measurement),
        };
        let mut line = Line { text: String::with_capacity(USUAL_BYTES), has_fields: false };
        line.text.push_str(sign);
        line.name(rest, &[',', ' ']);
        line
    }

    /// A tag; to be given before the first field. An empty value is no value, and left out.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Line {
        debug_assert!(!self.has_fields, "the tag {key} comes after a field");
        if !value.is_empty() && !self.has_fields {
            self.text.push(',');
            self.name(key, &[',', ' ', '=']);
            self.text.push('=');
            self.name(value, &[',', ' ', '=']);
        }
        self
    }

    /// A whole number.
    #[must_use]
    pub fn int(mut self, key: &str, value: i64) -> Line {
        self.field(key);
        write!(self.text, "{value}i").expect("a string takes everything");
        self
    }

    /// A text; an empty one cannot be told from none when it is read.
    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Line {
        self.field(key);
        self.text.push('"');
        if value.contains(['"', '\\']) {
            for c in value.chars() {
                if matches!(c, '"' | '\\') {
                    self.text.push('\\');
                }
                self.text.push(c);
            }
        } else {
            self.text.push_str(value);
        }
        self.text.push('"');
        self
    }

    /// Yes or no.
    #[must_use]
    pub fn flag(mut self, key: &str, value: bool) -> Line {
        self.field(key);
        self.text.push(if value { 't' } else { 'f' });
        self
    }

    /// A number; left out if it is none, or infinite.
    #[must_use]
    pub fn float(mut self, key: &str, value: f64) -> Line {
        if value.is_finite() {
            self.field(key);
            write!(self.text, "{value}").expect("a string takes everything");
        }
        self
    }

    /// The point's time, in nanoseconds since 1970. With measurement and tags it says which point it is: writing one
    /// with the same of all three again adds its fields to the first one's and replaces those that both have.
    #[must_use]
    pub fn at(mut self, nanoseconds: i64) -> DatedLine {
        write!(self.text, " {nanoseconds}").expect("a string takes everything");
        DatedLine(self)
    }

    fn field(&mut self, key: &str) {
        self.text.push(if self.has_fields { ',' } else { ' ' });
        self.has_fields = true;
        self.name(key, &[',', ' ', '=']);
        self.text.push('=');
    }

    fn name(&mut self, name: &str, escaped: &[char]) {
        // Most names have nothing to escape, and there are twenty in a point.
        if name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-') {
            self.text.push_str(name);
            return;
        }
        for c in name.chars() {
            let c = match c {
                '\\' => '/',
                c if c.is_control() => ' ',
                c => c,
            };
            if escaped.contains(&c) {
                self.text.push('\\');
            }
            self.text.push(c);
        }
    }
}

/// Points to be written together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    text: String,
    /// Where each line ends in the text; its line break is behind it.
    ends: Vec<usize>,
}

impl Lines {
    /// No points.
    pub fn new() -> Lines {
        Lines::default()
    }

    /// Adds a point. One without a field says nothing, and is left out.
    pub fn push(&mut self, line: DatedLine) {
        let DatedLine(Line { text, has_fields }) = line;
        if has_fields {
            self.text.push_str(&text);
            self.ends.push(self.text.len());
            self.text.push('\n');
        }
    }

    /// How many points.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Octets of all.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The lines, without the line breaks between them. A text in one may hold a line break of its own.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.range(0..self.len())
    }

    /// Some of the lines.
    pub(super) fn range(&self, range: Range<usize>) -> impl Iterator<Item = &str> {
        range.map(|index| &self.text[self.begin(index)..self.begin(index + 1) - 1])
    }

    /// Some of the lines, each with its line break.
    pub(super) fn text(&self, range: Range<usize>) -> &str {
        &self.text[self.begin(range.start)..self.begin(range.end)]
    }

    /// Up to which line those from `from` on are at most so many and have at most so many octets; one line at least.
    pub(super) fn batch(&self, from: usize, lines_max: usize, bytes_max: usize) -> usize {
        let begin = self.begin(from);
        let fitting =
            self.ends[from..].iter().take(lines_max).take_while(|end| **end + 1 - begin <= bytes_max);
        from + fitting.count().max(1)
    }

    fn begin(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |last| self.ends[last] + 1)
    }
}

impl FromIterator<DatedLine> for Lines {
    fn from_iter<T: IntoIterator<Item = DatedLine>>(lines: T) -> Lines {
        let mut all = Lines::new();
        lines.into_iter().for_each(|line| all.push(line));
        all
    }
}

#[cfg(test)]
mod tests;
