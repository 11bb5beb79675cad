//! The kernel's character interface for GPIO, version 2 (Linux 5.10).

use std::path::Path;

use domain::limits::GPIO_EDGES_WAITING_MAX;
use domain::units::MonotonicMicros;
use gpiocdev::line::{self, EdgeDetection, EdgeKind, EventClock, Offset, Value, Values};
use gpiocdev::request::Builder;
use gpiocdev::{Chip, Request, chip};
use rustix::time::{ClockId, Timespec, clock_gettime};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Ask, Bias, Edge, LineAddress, LineStream};
use crate::clock;
use crate::source::Lost;

/// By whom lines are held, as other programs see it.
const CONSUMER: &str = "beltwatch-agent";
/// Edges that one read of the queue takes.
const EDGES_READ: usize = 64;
/// A change of the clocks' offset up to this is the time between two readings, in microseconds.
const OFFSET_NOISE_US: u64 = 1_000;

/// Opens lines as inputs, with an event at each edge.
///
/// # Errors
///
/// If there is no such chip or line, if somebody else holds a line, or if this user may not.
pub(in crate::source) fn open(ask: &Ask<'_>) -> Result<KernelLines, Lost> {
    let chip = find_chip(ask.chip)?;
    let what = format!("{} of {}", shown(ask), chip.path().display());
    let failed = |error: gpiocdev::Error| Lost(format!("lines {what}: {error}"));
    let offsets =
        ask.lines.iter().map(|line| find_line(&chip, line)).collect::<Result<Vec<Offset>, Lost>>()?;
    let request = inputs(chip.path(), &offsets, ask.bias).request().map_err(failed)?;
    let octets = vec![0; request.edge_event_u64_size() * EDGES_READ];
    #[expect(
        deprecated,
        reason = "the request keeps its file for as long as it lives; the new way is `unsafe`"
    )]
    let request = AsyncFd::with_interest(request, Interest::READABLE)
        .map_err(|error| Lost(format!("lines {what}: {error}")))?;
    Ok(KernelLines { request, offsets, octets, what, offset_us: offset_us() })
}

/// What is asked of the kernel: inputs, and nothing else ever.
fn inputs(chip: &Path, offsets: &[Offset], bias: Bias) -> Builder {
    let mut builder = Request::builder();
    builder.on_chip(chip).with_consumer(CONSUMER).as_input();
    builder.with_bias(self::bias(bias)).with_edge_detection(EdgeDetection::BothEdges);
    builder.with_event_clock(EventClock::Monotonic).with_kernel_event_buffer_size(GPIO_EDGES_WAITING_MAX);
    builder.with_lines(offsets);
    builder
}

/// Lines that the kernel gave us.
#[derive(Debug)]
pub(in crate::source) struct KernelLines {
    request: AsyncFd<Request>,
    offsets: Vec<Offset>,
    /// Room for edges as the kernel writes them.
    octets: Vec<u64>,
    what: String,
    /// From the clock of the kernel's stamps to ours.
    offset_us: u64,
}

impl KernelLines {
    /// Which lines of which chip.
    pub(in crate::source) fn what(&self) -> &str {
        &self.what
    }

    fn gone(&self, error: &dyn std::fmt::Display) -> Lost {
        Lost(format!("lines {}: {error}", self.what))
    }

    fn edge(&self, event: &line::EdgeEvent, now: MonotonicMicros) -> Option<Edge> {
        let line = self.offsets.iter().position(|offset| *offset == event.offset)?;
        let is_high = match event.kind {
            EdgeKind::Rising => true,
            EdgeKind::Falling => false,
        };
        Some(Edge { at: ours(event.timestamp_ns, self.offset_us, now), line, is_high, number: event.seqno })
    }
}

impl LineStream for KernelLines {
    async fn readable(&mut self) -> Result<(), Lost> {
        loop {
            let mut ready = self.request.readable().await.map_err(|error| self.gone(&error))?;
            if self.request.get_ref().has_edge_event().map_err(|error| self.gone(&error))? {
                return Ok(());
            }
            ready.clear_ready();
        }
    }

    fn take(&mut self, edges: &mut Vec<Edge>) -> Result<(), Lost> {
        self.offset_us = refreshed(self.offset_us, offset_us());
        let (now, most) = (self.now(), edges.len() + GPIO_EDGES_WAITING_MAX as usize);
        // A chip that is gone has an event, too: reading it is what fails.
        while edges.len() < most
            && self.request.get_ref().has_edge_event().map_err(|error| self.gone(&error))?
        {
            let read = self.request.get_ref().read_edge_events_into_slice(&mut self.octets);
            let words = read.map_err(|error| self.gone(&error))?;
            let size = self.request.get_ref().edge_event_u64_size();
            for octets in self.octets[..words].chunks_exact(size) {
                let event = self.request.get_ref().edge_event_from_slice(octets);
                edges.extend(self.edge(&event.map_err(|error| self.gone(&error))?, now));
            }
        }
        Ok(())
    }

    fn levels(&mut self) -> Result<Vec<bool>, Lost> {
        let mut values = Values::from_offsets(&self.offsets);
        self.request.get_ref().values(&mut values).map_err(|error| self.gone(&error))?;
        Ok(self.offsets.iter().map(|offset| values.get(*offset) == Some(Value::Active)).collect())
    }

    fn now(&self) -> MonotonicMicros {
        clock::monotonic()
    }
}

fn bias(bias: Bias) -> Option<line::Bias> {
    match bias {
        Bias::PullUp => Some(line::Bias::PullUp),
        Bias::PullDown => Some(line::Bias::PullDown),
        Bias::External => None,
    }
}

fn shown(ask: &Ask<'_>) -> String {
    ask.lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// By path, by name as `gpiochip0`, or by label as `pinctrl-bcm2711`, which stays the same if chips are renumbered.
fn find_chip(chip: &str) -> Result<Chip, Lost> {
    let failed = |error: gpiocdev::Error| Lost(format!("GPIO chip {chip}: {error}"));
    if chip.starts_with('/') {
        return Chip::from_path(chip).map_err(failed);
    }
    let mut there = Vec::new();
    for path in chip::chips().map_err(failed)? {
        let opened = Chip::from_path(&path).and_then(|opened| opened.info().map(|about| (opened, about)));
        match opened {
            Ok((opened, about)) if about.label == chip || about.name == chip => return Ok(opened),
            Ok((_, about)) => there.push(format!("{} ({})", about.name, about.label)),
            Err(error) => there.push(unusable(&path, &error)),
        }
    }
    let there = if there.is_empty() { "none at all".to_owned() } else { there.join(", ") };
    Err(Lost(format!("GPIO chip {chip}: no chip has this name or label; there are: {there}")))
}

fn unusable(path: &Path, error: &gpiocdev::Error) -> String {
    format!("{}, which cannot be opened: {error}", path.display())
}

/// A line's number, if it is there and nobody else holds it.
fn find_line(chip: &Chip, line: &LineAddress) -> Result<Offset, Lost> {
    let path = chip.path().display();
    let found = match line {
        LineAddress::Number(number) => {
            chip.line_info(*number).map_err(|error| Lost(format!("line {number} of {path}: {error}")))?
        }
        LineAddress::Name(name) => chip
            .find_line_info(name)
            .ok_or_else(|| Lost(format!("line {name}: {path} has none of this name")))?,
    };
    if found.used {
        return Err(Lost(format!("line {line} of {path} is held by {:?}", found.consumer)));
    }
    Ok(found.offset)
}

/// What has to be added to the clock of the kernel's stamps, which stands while the computer sleeps, to get ours.
fn offset_us() -> u64 {
    let (stamps, ours) = (clock_gettime(ClockId::Monotonic), clock_gettime(ClockId::Boottime));
    micros(ours).saturating_sub(micros(stamps))
}

fn micros(time: Timespec) -> u64 {
    u64::try_from(time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)).unwrap_or(0)
}

/// The offset grows when the computer has slept. A smaller change would only shift edges against each other.
fn refreshed(old_us: u64, new_us: u64) -> u64 {
    if new_us.abs_diff(old_us) > OFFSET_NOISE_US { new_us } else { old_us }
}

/// A kernel's stamp in our time. It is never later than now: an edge from before a sleep would be.
fn ours(stamp_ns: u64, offset_us: u64, now: MonotonicMicros) -> MonotonicMicros {
    MonotonicMicros((stamp_ns / 1_000).saturating_add(offset_us)).min(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_become_our_time_and_never_lie_in_the_future() {
        let check = |stamp_ns, offset_us, now, expected| {
            assert_eq!(ours(stamp_ns, offset_us, MonotonicMicros(now)), MonotonicMicros(expected));
        };
        check(5_000_999, 0, 10_000, 5_000);
        check(5_000_000, 3_000, 10_000, 8_000);
        check(5_000_000, 6_000, 10_000, 10_000);
        check(u64::MAX, u64::MAX, 10_000, 10_000);
    }

    #[test]
    fn the_offset_follows_a_sleep_and_nothing_less() {
        assert_eq!(refreshed(7_000, 7_900), 7_000);
        assert_eq!(refreshed(7_000, 6_100), 7_000);
        assert_eq!(refreshed(7_000, 3_600_007_000), 3_600_007_000);
    }

    #[test]
    fn both_clocks_of_this_kernel_go_together() {
        let (before, offset) = (offset_us(), offset_us());
        assert_eq!(refreshed(before, offset), before);
    }

    #[test]
    fn lines_are_asked_for_as_inputs_whatever_the_settings() {
        for bias in [Bias::PullUp, Bias::PullDown, Bias::External] {
            let config = inputs(Path::new("/dev/gpiochip0"), &[5, 17, 23], bias).config();
            for offset in [5, 17, 23] {
                let line = config.line_config(offset).expect("it was asked for");
                assert_eq!(line.direction, Some(line::Direction::Input));
                assert_eq!(line.edge_detection, Some(EdgeDetection::BothEdges));
                assert_eq!((line.value, line.drive, line.debounce_period), (None, None, None));
            }
        }
    }

    #[tokio::test]
    async fn a_chip_that_is_not_there_is_named() {
        let line = LineAddress::Number(17);
        let lost =
            |chip| open(&Ask { chip, lines: vec![&line], bias: Bias::PullUp }).unwrap_err().to_string();
        let by_path = lost("/dev/gpiochip-that-is-not-there");
        assert!(by_path.starts_with("GPIO chip /dev/gpiochip-that-is-not-there: "), "{by_path}");
        assert!(by_path.contains("No such file"), "{by_path}");
        let by_label = lost("label-of-no-chip");
        assert!(by_label.contains("no chip has this name or label"), "{by_label}");
    }
}
