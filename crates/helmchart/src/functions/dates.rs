//! Times and durations. `now` is the time that the options give, so a render does not depend on the clock.

use gotemplate::{FunctionError, Value};

use super::call::Call;
use super::clock::{Time, Zone, format_duration, parse_duration, round_duration};
use super::go::Answer;
use super::layout;
use super::number::{parse_float, parse_int};
use super::objects::{DurationObject, TimeObject};

const SECOND: i64 = 1_000_000_000;

/// The time of the render. Its use is noted: Helm would print another one each time.
fn clock(call: &Call<'_, '_>) -> Time {
    call.note_nondeterministic();
    Time::unix(call.functions.context.now.unwrap_or(0), 0)
}

fn time_of(value: &Value) -> Option<Time> {
    match value {
        Value::Int(kind, seconds) => {
            use gotemplate::IntKind::{Int, Int32, Int64};
            matches!(kind, Int | Int32 | Int64).then(|| Time::unix(*seconds, 0))
        }
        _ => value.downcast::<TimeObject>().map(|time| time.0.clone()),
    }
}

fn time(time: Time) -> Answer {
    Ok(Value::object(TimeObject(time)))
}

pub(crate) fn now(call: &mut Call<'_, '_>) -> Answer {
    time(clock(call))
}

/// What is no time is taken for now, as in sprig.
fn shown(call: &Call<'_, '_>, layout: &str, value: &Value, zone: &str) -> Answer {
    let moment = time_of(value).unwrap_or_else(|| clock(call));
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    Ok(layout::format(&moment.in_zone(zone), layout).into())
}

pub(crate) fn date(call: &mut Call<'_, '_>) -> Answer {
    shown(call, &call.text(0), call.value(1), "Local")
}

pub(crate) fn date_in_zone(call: &mut Call<'_, '_>) -> Answer {
    shown(call, &call.text(0), call.value(1), &call.text(2))
}

pub(crate) fn html_date(call: &mut Call<'_, '_>) -> Answer {
    shown(call, "2006-01-02", call.value(0), "Local")
}

pub(crate) fn html_date_in_zone(call: &mut Call<'_, '_>) -> Answer {
    shown(call, "2006-01-02", call.value(0), &call.text(1))
}

fn given(call: &Call<'_, '_>, index: usize) -> Time {
    time_of(call.value(index)).unwrap_or_else(Time::zero)
}

pub(crate) fn date_modify(call: &mut Call<'_, '_>) -> Answer {
    let moment = given(call, 1);
    time(match parse_duration(&call.text(0)) {
        Ok(duration) => moment.plus(duration),
        Err(_) => moment,
    })
}

pub(crate) fn must_date_modify(call: &mut Call<'_, '_>) -> Answer {
    time(given(call, 1).plus(parse_duration(&call.text(0))?))
}

pub(crate) fn to_date(call: &mut Call<'_, '_>) -> Answer {
    time(layout::parse(&call.text(0), &call.text(1)).unwrap_or_else(|_| Time::zero()))
}

pub(crate) fn must_to_date(call: &mut Call<'_, '_>) -> Answer {
    time(layout::parse(&call.text(0), &call.text(1))?)
}

pub(crate) fn unix_epoch(call: &mut Call<'_, '_>) -> Answer {
    Ok(given(call, 0).seconds.to_string().into())
}

pub(crate) fn ago(call: &mut Call<'_, '_>) -> Answer {
    let now = clock(call);
    let moment = time_of(call.value(0)).filter(|_| {
        // sprig forgets `int32` here.
        !matches!(call.value(0), Value::Int(gotemplate::IntKind::Int32, _))
    });
    let since = moment.map_or(0, |moment| now.since(&moment));
    Ok(format_duration(round_duration(since, SECOND)).into())
}

pub(crate) fn duration(call: &mut Call<'_, '_>) -> Answer {
    let seconds = match call.value(0) {
        Value::Str(text) => parse_int(text, 10).unwrap_or_else(|| saturated(text)),
        Value::Int(gotemplate::IntKind::Int64, seconds) => *seconds,
        _ => 0,
    };
    Ok(format_duration(seconds.wrapping_mul(SECOND)).into())
}

/// `ParseInt` gives the nearest number beside the error when a number is out of range.
fn saturated(text: &str) -> i64 {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        0
    } else if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    }
}

pub(crate) fn duration_round(call: &mut Call<'_, '_>) -> Answer {
    let duration = match call.value(0) {
        Value::Str(text) => parse_duration(text).unwrap_or(0),
        Value::Int(gotemplate::IntKind::Int64, nanos) => *nanos,
        value => match value.downcast::<TimeObject>() {
            Some(moment) => clock(call).since(&moment.0),
            None => 0,
        },
    };
    let seconds = |count: u64| count * SECOND.unsigned_abs();
    let units = [
        (seconds(86_400 * 365), "y"),
        (seconds(86_400 * 30), "mo"),
        (seconds(86_400), "d"),
        (seconds(3_600), "h"),
        (seconds(60), "m"),
        (seconds(1), "s"),
    ];
    let amount = duration.unsigned_abs();
    let text = units.iter().find(|(unit, _)| amount > *unit).map(|(unit, name)| format!("{}{name}", amount / unit));
    Ok(text.unwrap_or_else(|| "0s".to_owned()).into())
}

/// What Helm 4's duration functions take: durations, texts such as `1h30m`, and numbers of seconds.
fn duration_of(value: &Value) -> Result<i64, FunctionError> {
    let overflow = |seconds: &str| FunctionError::new(format!("duration seconds overflow: {seconds}"));
    if let Some(duration) = value.downcast::<DurationObject>() {
        return Ok(duration.0);
    }
    match value {
        Value::Nil => Err("invalid duration".into()),
        Value::Str(text) => {
            let trimmed = text.trim_matches(super::casing::is_space);
            if trimmed.is_empty() {
                return Err("empty duration".into());
            }
            if let Ok(duration) = parse_duration(trimmed) {
                return Ok(duration);
            }
            match parse_float(trimmed) {
                Some(seconds) => of_seconds(seconds),
                None => Err(format!("could not parse duration {}", super::go::quote(text)).into()),
            }
        }
        Value::Int(_, seconds) => seconds.checked_mul(SECOND).ok_or_else(|| overflow(&seconds.to_string())),
        Value::Uint(_, seconds) => i64::try_from(*seconds)
            .ok()
            .and_then(|seconds| seconds.checked_mul(SECOND))
            .ok_or_else(|| overflow(&seconds.to_string())),
        Value::Float(seconds) => of_seconds(*seconds),
        Value::Object(object) => match object.underlying() {
            Some(value @ Value::Int(..)) => duration_of(&value),
            _ => Err(format!("unsupported duration type {}", value.type_name()).into()),
        },
        _ => Err(format!("unsupported duration type {}", value.type_name()).into()),
    }
}

fn of_seconds(seconds: f64) -> Result<i64, FunctionError> {
    let shown = || gotemplate::format::value_text(&Value::Float(seconds));
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {}", shown()).into());
    }
    let most = i64::MAX as f64 / SECOND as f64;
    if seconds.abs() > most {
        return Err(format!("duration seconds overflow: {}", shown()).into());
    }
    Ok(super::number::truncated(seconds * SECOND as f64))
}

pub(crate) fn must_to_duration(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::object(DurationObject(duration_of(call.value(0))?)))
}

fn counted(call: &Call<'_, '_>, unit: i64) -> Answer {
    Ok(Value::int64(duration_of(call.value(0)).unwrap_or(0) / unit))
}

fn measured(call: &Call<'_, '_>, unit: i64, divisor: f64) -> Answer {
    match duration_of(call.value(0)) {
        Ok(duration) => Ok((DurationObject(duration).in_units(unit) / divisor).into()),
        Err(_) => Ok(0.0.into()),
    }
}

pub(crate) fn duration_seconds(call: &mut Call<'_, '_>) -> Answer {
    measured(call, SECOND, 1.0)
}

pub(crate) fn duration_minutes(call: &mut Call<'_, '_>) -> Answer {
    measured(call, 60 * SECOND, 1.0)
}

pub(crate) fn duration_hours(call: &mut Call<'_, '_>) -> Answer {
    measured(call, 3_600 * SECOND, 1.0)
}

pub(crate) fn duration_days(call: &mut Call<'_, '_>) -> Answer {
    measured(call, 3_600 * SECOND, 24.0)
}

pub(crate) fn duration_weeks(call: &mut Call<'_, '_>) -> Answer {
    match duration_of(call.value(0)) {
        Ok(duration) => Ok((DurationObject(duration).in_units(3_600 * SECOND) / 24.0 / 7.0).into()),
        Err(_) => Ok(0.0.into()),
    }
}

pub(crate) fn duration_milliseconds(call: &mut Call<'_, '_>) -> Answer {
    counted(call, 1_000_000)
}

pub(crate) fn duration_microseconds(call: &mut Call<'_, '_>) -> Answer {
    counted(call, 1_000)
}

pub(crate) fn duration_nanoseconds(call: &mut Call<'_, '_>) -> Answer {
    counted(call, 1)
}

pub(crate) fn duration_round_to(call: &mut Call<'_, '_>) -> Answer {
    let duration = duration_of(call.value(0)).unwrap_or(0);
    let unit = duration_of(call.value(1)).unwrap_or(0);
    Ok(Value::object(DurationObject(round_duration(duration, unit))))
}

pub(crate) fn duration_truncate_to(call: &mut Call<'_, '_>) -> Answer {
    let duration = DurationObject(duration_of(call.value(0)).unwrap_or(0));
    let unit = duration_of(call.value(1)).unwrap_or(0);
    Ok(Value::object(duration.truncated(unit)))
}
