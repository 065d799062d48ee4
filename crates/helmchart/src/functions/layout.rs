//! Go's time layouts: `2006-01-02 15:04:05` and friends, written and read.

use super::clock::{Time, Zone, days_in, is_leap};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// One element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Shape),
    /// Digits that are always written, and the separator before them.
    Fraction0(usize, u8),
    /// Digits without trailing zeros.
    Fraction9(usize, u8),
}

/// The shape of a numeric zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// `Z` stands for UTC.
    z: bool,
    colon: bool,
    minutes: bool,
    seconds: bool,
}

/// The text before the first element of `layout`, the element, and what follows it.
fn next(layout: &str) -> (&str, Option<Element>, &str) {
    let bytes = layout.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let rest = &bytes[at..];
        let Some((element, length)) = element_at(rest, *byte) else { continue };
        // `_2006` is a literal underscore before the year.
        let skip = usize::from(*byte == b'_' && element == Element::LongYear);
        return (&layout[..at + skip], Some(element), &layout[at + length..]);
    }
    (layout, None, "")
}

fn element_at(rest: &[u8], byte: u8) -> Option<(Element, usize)> {
    use Element::*;
    let is = |text: &str| rest.starts_with(text.as_bytes());
    let lower_after = |at: usize| rest.get(at).is_some_and(u8::is_ascii_lowercase);
    let found = match byte {
        b'J' if is("January") => (LongMonth, 7),
        b'J' if is("Jan") && !lower_after(3) => (Month, 3),
        b'M' if is("Monday") => (LongWeekDay, 6),
        b'M' if is("Mon") && !lower_after(3) => (WeekDay, 3),
        b'M' if is("MST") => (ZoneName, 3),
        b'0' if is("002") => (ZeroYearDay, 3),
        b'0' => match rest.get(1)? {
            b'1' => (ZeroMonth, 2),
            b'2' => (ZeroDay, 2),
            b'3' => (ZeroHour12, 2),
            b'4' => (ZeroMinute, 2),
            b'5' => (ZeroSecond, 2),
            b'6' => (Year, 2),
            _ => return None,
        },
        b'1' if is("15") => (Hour, 2),
        b'1' => (NumMonth, 1),
        b'2' if is("2006") => (LongYear, 4),
        b'2' => (Day, 1),
        b'_' if is("_2006") => (LongYear, 5),
        b'_' if is("_2") => (UnderDay, 2),
        b'_' if is("__2") => (UnderYearDay, 3),
        b'3' => (Hour12, 1),
        b'4' => (Minute, 1),
        b'5' => (Second, 1),
        b'P' if is("PM") => (UpperPm, 2),
        b'p' if is("pm") => (LowerPm, 2),
        b'-' | b'Z' => {
            let tail = &rest[1..];
            let shape = |colon, minutes, seconds| Shape { z: byte == b'Z', colon, minutes, seconds };
            let (offset, length) = if tail.starts_with(b"070000") {
                (shape(false, true, true), 7)
            } else if tail.starts_with(b"07:00:00") {
                (shape(true, true, true), 9)
            } else if tail.starts_with(b"0700") {
                (shape(false, true, false), 5)
            } else if tail.starts_with(b"07:00") {
                (shape(true, true, false), 6)
            } else if tail.starts_with(b"07") {
                (shape(false, false, false), 3)
            } else {
                return None;
            };
            (Element::Offset(offset), length)
        }
        b'.' | b',' => {
            let digit = *rest.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
            let count = rest[1..].iter().take_while(|byte| **byte == digit).count();
            if rest.get(1 + count).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            (if digit == b'0' { Fraction0(count, byte) } else { Fraction9(count, byte) }, 1 + count)
        }
        _ => return None,
    };
    Some(found)
}

/// `Time.Format`.
pub(crate) fn format(time: &Time, layout: &str) -> String {
    let civil = time.civil();
    let (zone, offset) = time.zone_at();
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let (before, element, after) = next(rest);
        out.push_str(before);
        let Some(element) = element else { break };
        rest = after;
        let twelve = if civil.hour.is_multiple_of(12) { 12 } else { civil.hour % 12 };
        let month = MONTHS.get(civil.month as usize - 1).copied().unwrap_or("January");
        let weekday = DAYS.get(civil.weekday).copied().unwrap_or("Sunday");
        let text = match element {
            Element::Year => format!("{:02}", civil.year.unsigned_abs() % 100),
            Element::LongYear if civil.year < 0 => format!("-{:04}", civil.year.unsigned_abs()),
            Element::LongYear => format!("{:04}", civil.year),
            Element::Month => month[..3].to_owned(),
            Element::LongMonth => month.to_owned(),
            Element::NumMonth => civil.month.to_string(),
            Element::ZeroMonth => format!("{:02}", civil.month),
            Element::WeekDay => weekday[..3].to_owned(),
            Element::LongWeekDay => weekday.to_owned(),
            Element::Day => civil.day.to_string(),
            Element::UnderDay => format!("{:2}", civil.day),
            Element::ZeroDay => format!("{:02}", civil.day),
            Element::UnderYearDay => format!("{:3}", civil.year_day),
            Element::ZeroYearDay => format!("{:03}", civil.year_day),
            Element::Hour => format!("{:02}", civil.hour),
            Element::Hour12 => twelve.to_string(),
            Element::ZeroHour12 => format!("{twelve:02}"),
            Element::Minute => civil.minute.to_string(),
            Element::ZeroMinute => format!("{:02}", civil.minute),
            Element::Second => civil.second.to_string(),
            Element::ZeroSecond => format!("{:02}", civil.second),
            Element::UpperPm => if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Element::LowerPm => if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Element::ZoneName if !zone.is_empty() => zone.clone(),
            Element::ZoneName => format_offset(offset, Shape { z: false, colon: false, minutes: true, seconds: false }),
            Element::Offset(shape) => format_offset(offset, shape),
            Element::Fraction0(digits, separator) => {
                format!("{}{}", char::from(separator), nano_digits(time.nanos, digits))
            }
            Element::Fraction9(digits, separator) => {
                let text = nano_digits(time.nanos, digits);
                match text.trim_end_matches('0') {
                    "" => String::new(),
                    text => format!("{}{text}", char::from(separator)),
                }
            }
        };
        out.push_str(&text);
    }
    out
}

fn nano_digits(nanos: u32, digits: usize) -> String {
    let mut text = format!("{nanos:09}");
    text.truncate(digits.min(9));
    text
}

fn format_offset(offset: i64, shape: Shape) -> String {
    if offset == 0 && shape.z {
        return "Z".to_owned();
    }
    let minutes = offset / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (minutes, seconds) = (minutes.abs(), offset.abs() % 60);
    let colon = if shape.colon { ":" } else { "" };
    let mut text = format!("{sign}{:02}", minutes / 60);
    if shape.minutes {
        text.push_str(&format!("{colon}{:02}", minutes % 60));
    }
    if shape.seconds {
        text.push_str(&format!("{colon}{seconds:02}"));
    }
    text
}

/// How the `time` package quotes what it could not read: bytes beyond ASCII as `\x..`.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'\x7f' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// What was read so far.
#[derive(Default)]
struct Read {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    utc: bool,
    offset: Option<i64>,
    zone: String,
    pm: bool,
    am: bool,
}

/// Why one element could not be read.
enum Fault {
    Bad,
    /// A number was read but is out of range: what it counts.
    Range(&'static str),
}

/// `time.ParseInLocation` with the machine's zone. The error is worded as in Go.
pub(crate) fn parse(layout: &str, text: &str) -> Result<Time, String> {
    let fail = |element: &str, value: &str, message: &str| {
        if message.is_empty() {
            let (text, layout) = (quote(text), quote(layout));
            format!("parsing time {text} as {layout}: cannot parse {} as {}", quote(value), quote(element))
        } else {
            format!("parsing time {}{message}", quote(text))
        }
    };
    let mut read = Read::default();
    let (mut pattern, mut value) = (layout, text);
    loop {
        let (before, element, after) = next(pattern);
        value = match skip(value, before) {
            Ok(rest) => rest,
            Err(rest) => return Err(fail(before, rest, "")),
        };
        let Some(element) = element else {
            if !value.is_empty() {
                return Err(fail("", value, &format!(": extra text: {}", quote(value))));
            }
            break;
        };
        let spelled = &pattern[before.len()..pattern.len() - after.len()];
        pattern = after;
        match read.element(element, value, pattern) {
            Ok(rest) => value = rest,
            Err(Fault::Bad) => return Err(fail(spelled, value, "")),
            Err(Fault::Range(what)) => return Err(fail(spelled, value, &format!(": {what} out of range"))),
        }
    }
    read.finish().map_err(|message| fail("", value, message))
}

/// Removes a literal prefix; runs of spaces match each other. The error is where it stopped.
fn skip<'t>(mut value: &'t str, mut prefix: &str) -> Result<&'t str, &'t str> {
    while let Some(wanted) = prefix.chars().next() {
        if wanted == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(wanted).ok_or(value)?;
        prefix = &prefix[wanted.len_utf8()..];
    }
    Ok(value)
}

fn digit(text: &str, at: usize) -> Option<u32> {
    text.as_bytes().get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'))
}

/// One or two digits (exactly two if `fixed`).
fn number(text: &str, fixed: bool) -> Result<(u32, &str), Fault> {
    let first = digit(text, 0).ok_or(Fault::Bad)?;
    match digit(text, 1) {
        Some(second) => Ok((first * 10 + second, &text[2..])),
        None if fixed => Err(Fault::Bad),
        None => Ok((first, &text[1..])),
    }
}

/// The first of `names` (cut to `length` letters) that `text` starts with, ignoring case.
fn lookup<'t>(names: &[&str], length: usize, text: &'t str) -> Result<(u32, &'t str), Fault> {
    for (number, name) in (0_u32..).zip(names) {
        let name = &name[..length.min(name.len())];
        if let (Some(start), Some(rest)) = (text.get(..name.len()), text.get(name.len()..))
            && start.eq_ignore_ascii_case(name)
        {
            return Ok((number, rest));
        }
    }
    Err(Fault::Bad)
}

impl Read {
    fn element<'t>(&mut self, element: Element, value: &'t str, following: &str) -> Result<&'t str, Fault> {
        use Element::*;
        let within = |number: u32, least: u32, most: u32, what| {
            if (least..=most).contains(&number) { Ok(number) } else { Err(Fault::Range(what)) }
        };
        match element {
            Year => {
                let (year, rest) = (value.get(..2).ok_or(Fault::Bad)?, &value[2..]);
                let year: i64 = year.parse().map_err(|_| Fault::Bad)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                Ok(rest)
            }
            LongYear => {
                let year = value.get(..4).filter(|_| digit(value, 0).is_some()).ok_or(Fault::Bad)?;
                self.year = year.parse().map_err(|_| Fault::Bad)?;
                Ok(&value[4..])
            }
            Month | LongMonth => {
                let (month, rest) = lookup(&MONTHS, if element == Month { 3 } else { usize::MAX }, value)?;
                self.month = Some(month + 1);
                Ok(rest)
            }
            NumMonth | ZeroMonth => {
                let (month, rest) = number(value, element == ZeroMonth)?;
                self.month = Some(within(month, 1, 12, "month")?);
                Ok(rest)
            }
            WeekDay => lookup(&DAYS, 3, value).map(|(_, rest)| rest),
            LongWeekDay => lookup(&DAYS, usize::MAX, value).map(|(_, rest)| rest),
            Day | UnderDay | ZeroDay => {
                let body = if element == UnderDay { value.strip_prefix(' ').unwrap_or(value) } else { value };
                let (day, rest) = number(body, element == ZeroDay)?;
                self.day = Some(day);
                Ok(rest)
            }
            UnderYearDay | ZeroYearDay => {
                let mut body = value;
                for _ in 0..2 {
                    body = if element == UnderYearDay { body.strip_prefix(' ').unwrap_or(body) } else { body };
                }
                let count = (0..3).take_while(|at| digit(body, *at).is_some()).count();
                if count == 0 || (element == ZeroYearDay && count != 3) {
                    return Err(Fault::Bad);
                }
                self.year_day = body[..count].parse().ok();
                Ok(&body[count..])
            }
            Hour => {
                let (hour, rest) = number(value, false)?;
                self.hour = within(hour, 0, 23, "hour")?;
                Ok(rest)
            }
            Hour12 | ZeroHour12 => {
                let (hour, rest) = number(value, element == ZeroHour12)?;
                self.hour = within(hour, 0, 12, "hour")?;
                Ok(rest)
            }
            Minute | ZeroMinute => {
                let (minute, rest) = number(value, element == ZeroMinute)?;
                self.minute = within(minute, 0, 59, "minute")?;
                Ok(rest)
            }
            Second | ZeroSecond => {
                let (second, rest) = number(value, element == ZeroSecond)?;
                self.second = within(second, 0, 59, "second")?;
                let has_fraction = rest.starts_with(['.', ',']) && digit(rest, 1).is_some();
                let asked = matches!(next(following).1, Some(Fraction0(..) | Fraction9(..)));
                if has_fraction && !asked { self.fraction(rest) } else { Ok(rest) }
            }
            UpperPm | LowerPm => {
                let half = value.get(..2).ok_or(Fault::Bad)?;
                match half {
                    "PM" if element == UpperPm => self.pm = true,
                    "AM" if element == UpperPm => self.am = true,
                    "pm" if element == LowerPm => self.pm = true,
                    "am" if element == LowerPm => self.am = true,
                    _ => return Err(Fault::Bad),
                }
                Ok(&value[2..])
            }
            Offset(shape) => self.offset(shape, value),
            ZoneName => {
                if let Some(rest) = value.strip_prefix("UTC") {
                    self.utc = true;
                    return Ok(rest);
                }
                let length = zone_length(value).ok_or(Fault::Bad)?;
                self.zone = value[..length].to_owned();
                Ok(&value[length..])
            }
            Fraction0(digits, _) => {
                let body = value.get(..=digits).ok_or(Fault::Bad)?;
                self.nanoseconds(body)?;
                Ok(&value[1 + digits..])
            }
            Fraction9(..) => {
                if value.starts_with(['.', ',']) && digit(value, 1).is_some() {
                    self.fraction(value)
                } else {
                    Ok(value)
                }
            }
        }
    }

    /// A separator and all digits after it.
    fn fraction<'t>(&mut self, value: &'t str) -> Result<&'t str, Fault> {
        let count = (1..).take_while(|at| digit(value, *at).is_some()).count();
        self.nanoseconds(&value[..=count])?;
        Ok(&value[1 + count..])
    }

    fn nanoseconds(&mut self, text: &str) -> Result<(), Fault> {
        let digits = text.strip_prefix(['.', ',']).ok_or(Fault::Bad)?;
        let digits = digits.get(..digits.len().min(9)).ok_or(Fault::Bad)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::Bad);
        }
        self.nanos = format!("{digits:0<9}").parse().map_err(|_| Fault::Bad)?;
        Ok(())
    }

    fn offset<'t>(&mut self, shape: Shape, value: &'t str) -> Result<&'t str, Fault> {
        if shape.z
            && let Some(rest) = value.strip_prefix('Z')
        {
            self.utc = true;
            return Ok(rest);
        }
        let length = match (shape.colon, shape.minutes, shape.seconds) {
            (true, _, false) => 6,
            (true, _, true) => 9,
            (false, false, _) => 3,
            (false, true, false) => 5,
            (false, true, true) => 7,
        };
        let text = value.get(..length).ok_or(Fault::Bad)?;
        let (sign, mut rest) = text.split_at_checked(1).ok_or(Fault::Bad)?;
        let mut numbers = [0_i64; 3];
        let fields = 1 + usize::from(shape.minutes) + usize::from(shape.seconds);
        for (index, slot) in numbers.iter_mut().take(fields).enumerate() {
            if index > 0 && shape.colon {
                rest = rest.strip_prefix(':').ok_or(Fault::Bad)?;
            }
            let (found, after) = number(rest, true)?;
            *slot = i64::from(found);
            rest = after;
        }
        let [hours, minutes, seconds] = numbers;
        for (number, most, what) in [
            (hours, 24, "time zone offset hour"),
            (minutes, 60, "time zone offset minute"),
            (seconds, 60, "time zone offset second"),
        ] {
            if number > most {
                return Err(Fault::Range(what));
            }
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(match sign {
            "+" => offset,
            "-" => -offset,
            _ => return Err(Fault::Bad),
        });
        Ok(&value[length..])
    }

    fn finish(mut self) -> Result<Time, &'static str> {
        if self.pm && self.hour < 12 {
            self.hour += 12;
        } else if self.am && self.hour == 12 {
            self.hour = 0;
        }
        let (mut month, mut day) = (self.month, self.day);
        if let Some(year_day) = self.year_day {
            let length = if is_leap(self.year) { 366 } else { 365 };
            if year_day < 1 || year_day > length {
                return Err(": day-of-year out of range");
            }
            let (mut of_month, mut rest) = (1, year_day);
            while rest > days_in(of_month, self.year) {
                rest -= days_in(of_month, self.year);
                of_month += 1;
            }
            if month.is_some_and(|month| month != of_month) {
                return Err(": day-of-year does not match month");
            }
            if day.is_some_and(|day| day != rest) {
                return Err(": day-of-year does not match day");
            }
            (month, day) = (Some(of_month), Some(rest));
        }
        let (month, day) = (month.unwrap_or(1), day.unwrap_or(1));
        if day < 1 || day > days_in(month, self.year) {
            return Err(": day out of range");
        }
        let date = (self.year, month, day);
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        let at = |zone| Time::from_civil(date, seconds, self.nanos, zone);
        if self.utc {
            return Ok(at(Zone::Utc));
        }
        if let Some(offset) = self.offset {
            // The machine's zone is UTC, so only UTC's own offset is taken for it.
            if offset == 0 && (self.zone.is_empty() || self.zone == "UTC") {
                return Ok(at(Zone::Local));
            }
            return Ok(at(Zone::Fixed(self.zone.clone(), offset)));
        }
        if !self.zone.is_empty() {
            let offset = self.zone.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok()).unwrap_or(0) * 3600;
            // Go leaves the clock as it was read and only labels it.
            return Ok(at(Zone::Utc).in_zone(Zone::Fixed(self.zone.clone(), offset)));
        }
        Ok(at(Zone::Local))
    }
}

/// Length of the zone abbreviation that `value` starts with.
fn zone_length(value: &str) -> Option<usize> {
    let signed = |text: &str| {
        let digits = text.strip_prefix(['+', '-'])?;
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = digits[..count].parse().ok()?;
        (number <= 23).then_some(1 + count)
    };
    if value.len() < 3 {
        return None;
    }
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix("GMT") {
        return Some(3 + signed(rest).unwrap_or(0));
    }
    if value.starts_with(['+', '-']) {
        return signed(value);
    }
    match value.bytes().take(6).take_while(u8::is_ascii_uppercase).count() {
        5 if value.as_bytes()[4] == b'T' => Some(5),
        4 if value.as_bytes()[3] == b'T' || value.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}
