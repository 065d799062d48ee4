//! Schedules of CronJobs: five fields, or a word such as `@daily`, as the API server reads them.

/// One field: what it is called, its least and its greatest number, and the names that it may have in place of numbers from the least on.
struct Field {
    name: &'static str,
    least: u64,
    most: u64,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { name: "day of the week", least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const WORDS: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What Go's durations count.
const UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];

/// Why a text is no schedule, if it is none.
pub(crate) fn problem(schedule: &str) -> Option<String> {
    if schedule.contains("TZ") {
        return Some("a time zone belongs to `timeZone`".to_owned());
    }
    if schedule.starts_with('@') {
        let is_known = match schedule.strip_prefix("@every ") {
            Some(duration) => is_duration(duration),
            None => WORDS.contains(&schedule),
        };
        return (!is_known).then(|| format!("`{schedule}` is none of {}", words()));
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Some(match fields.len() {
            0 => "it is empty".to_owned(),
            1 => format!("it has one field, not {}", FIELDS.len()),
            count => format!("it has {count} fields, not {}", FIELDS.len()),
        });
    }
    let (text, field) = fields.into_iter().zip(&FIELDS).find(|(text, field)| !field.takes(text))?;
    let Field { name, least, most, .. } = field;
    Some(format!("`{text}` is no {name} from {least} to {most}"))
}

fn words() -> String {
    format!("`{}` and `@every 1h30m`", WORDS.join("`, `"))
}

impl Field {
    fn takes(&self, text: &str) -> bool {
        text.split(',').filter(|range| !range.is_empty()).all(|range| self.takes_range(range))
    }

    /// `*`, `?`, `n` or `n-m`, each with `/step`.
    fn takes_range(&self, range: &str) -> bool {
        let mut parts = range.split('/');
        let mut ends = parts.next().unwrap_or_default().split('-');
        let step = parts.next();
        if parts.next().is_some() || step.is_some_and(|step| number(step).is_none_or(|step| step == 0)) {
            return false;
        }
        let (from, to) = (ends.next().unwrap_or_default(), ends.next());
        if matches!(from, "*" | "?") {
            // Whatever follows is not looked at, as in `*-5`.
            return true;
        }
        if ends.next().is_some() {
            return false;
        }
        let (Some(from), to) = (self.number(from), to.map(|to| self.number(to))) else { return false };
        let to = match to {
            Some(None) => return false,
            Some(Some(to)) => to,
            None if step.is_some() => self.most,
            None => from,
        };
        (self.least..=self.most).contains(&from) && from <= to && to <= self.most
    }

    fn number(&self, text: &str) -> Option<u64> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match named {
            Some(index) => Some(self.least + u64::try_from(index).ok()?),
            None => number(text),
        }
    }
}

/// A number as Go's `Atoi` reads it, if it is not negative.
fn number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok())??;
    (number == 0 || !text.starts_with('-')).then_some(number)
}

/// A duration of Go: `0`, or numbers with units, and a sign before them.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let unit = rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(unit);
        let is_number = number.bytes().any(|byte| byte.is_ascii_digit()) && number.matches('.').count() <= 1;
        let next = after.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(next);
        if !is_number || !UNITS.contains(&unit) {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_those_of_the_api_server() {
        for schedule in [
            "* * * * *",
            "? ? ? ? ?",
            "0 3 * * *",
            "*/5 0-12/2 1,15 jan-MAR mon-FRI",
            "5/15 * * * *",
            "0 0 31 12 6",
            "  0\t0 * * 0 ",
            ", * * * *",
            "*-5 * * * *",
            "+5 * * * *",
            "@daily",
            "@every 1h30m",
            "@every 1.5h",
            "@every 0",
        ] {
            assert_eq!(problem(schedule), None, "{schedule}");
        }
        for (schedule, expected) in [
            ("99 * * * *", "`99` is no minute from 0 to 59"),
            ("0 24 * * *", "`24` is no hour from 0 to 23"),
            ("0 0 0 * *", "`0` is no day of the month from 1 to 31"),
            ("0 0 * 13 *", "`13` is no month from 1 to 12"),
            ("0 0 * * 7", "`7` is no day of the week from 0 to 6"),
            ("0 0 * * sunday", "`sunday` is no day of the week from 0 to 6"),
            ("*/0 * * * *", "`*/0` is no minute from 0 to 59"),
            ("5-1 * * * *", "`5-1` is no minute from 0 to 59"),
            ("1-2-3 * * * *", "`1-2-3` is no minute from 0 to 59"),
            ("1/2/3 * * * *", "`1/2/3` is no minute from 0 to 59"),
            ("-5 * * * *", "`-5` is no minute from 0 to 59"),
            ("0 0 L * *", "`L` is no day of the month from 1 to 31"),
            ("", "it is empty"),
            ("hourly", "it has one field, not 5"),
            ("0 0 0 * * *", "it has 6 fields, not 5"),
            ("TZ=UTC 0 0 * * *", "a time zone belongs to `timeZone`"),
            ("CRON_TZ=UTC 0 0 * * *", "a time zone belongs to `timeZone`"),
        ] {
            assert_eq!(problem(schedule).as_deref(), Some(expected), "{schedule}");
        }
        for schedule in ["@dayly", "@every", "@every ", "@every 1", "@every 1d", "@every h", "@Daily", "@daily "] {
            assert!(problem(schedule).is_some_and(|problem| problem.contains("is none of")), "{schedule}");
        }
    }
}
