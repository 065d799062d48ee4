//! Arithmetic: whole numbers wrap around as Go's do, `…f` functions calculate in decimals.

use gotemplate::format::value_text;
use gotemplate::{FunctionError, Value};

use super::call::Call;
use super::decimal::Decimal;
use super::go::Answer;
use super::number::{parse_int, to_float64, to_int64};

fn whole(call: &Call<'_, '_>, index: usize) -> i64 {
    to_int64(call.value(index))
}

pub(crate) fn atoi(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int(parse_int(&call.text(0), 10).unwrap_or_else(|| {
        // `Atoi` gives the nearest number beside the error when it is out of range.
        let text = call.text(0);
        let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
        match digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => 0,
            false if text.starts_with('-') => i64::MIN,
            false => i64::MAX,
        }
    })))
}

pub(crate) fn int64(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(whole(call, 0)))
}

pub(crate) fn int(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int(whole(call, 0)))
}

pub(crate) fn float64(call: &mut Call<'_, '_>) -> Answer {
    Ok(to_float64(call.value(0)).into())
}

/// Reads a number written in octal, such as a file mode.
pub(crate) fn to_decimal(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(parse_int(&value_text(call.value(0)), 8).unwrap_or(0)))
}

pub(crate) fn add1(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(whole(call, 0).wrapping_add(1)))
}

pub(crate) fn add(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(call.args.iter().fold(0, |sum: i64, value| sum.wrapping_add(to_int64(value)))))
}

pub(crate) fn sub(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(whole(call, 0).wrapping_sub(whole(call, 1))))
}

pub(crate) fn mul(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(call.args.iter().fold(1, |product: i64, value| product.wrapping_mul(to_int64(value)))))
}

fn divisor(call: &Call<'_, '_>) -> Result<i64, FunctionError> {
    match whole(call, 1) {
        0 => Err("runtime error: integer divide by zero".into()),
        number => Ok(number),
    }
}

pub(crate) fn div(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(whole(call, 0).wrapping_div(divisor(call)?)))
}

pub(crate) fn modulo(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(whole(call, 0).wrapping_rem(divisor(call)?)))
}

pub(crate) fn max(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(call.args.iter().map(to_int64).max().unwrap_or(0)))
}

pub(crate) fn min(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::int64(call.args.iter().map(to_int64).min().unwrap_or(0)))
}

pub(crate) fn maxf(call: &mut Call<'_, '_>) -> Answer {
    Ok(extreme(call, f64::INFINITY, |a, b| a > b || (a == 0.0 && b == 0.0 && b.is_sign_negative())))
}

pub(crate) fn minf(call: &mut Call<'_, '_>) -> Answer {
    Ok(extreme(call, f64::NEG_INFINITY, |a, b| a < b || (a == 0.0 && b == 0.0 && a.is_sign_negative())))
}

/// Like Go's `math.Max` and `math.Min`: `most` beats not-a-number, which beats all others.
fn extreme(call: &Call<'_, '_>, most: f64, wins: fn(f64, f64) -> bool) -> Value {
    let pick = |a: f64, b: f64| match (a.is_nan() || b.is_nan(), a == most || b == most) {
        (_, true) => most,
        (true, false) => f64::NAN,
        (false, false) if wins(a, b) => a,
        (false, false) => b,
    };
    call.args.iter().map(to_float64).reduce(pick).unwrap_or(0.0).into()
}

pub(crate) fn floor(call: &mut Call<'_, '_>) -> Answer {
    Ok(to_float64(call.value(0)).floor().into())
}

pub(crate) fn ceil(call: &mut Call<'_, '_>) -> Answer {
    Ok(to_float64(call.value(0)).ceil().into())
}

pub(crate) fn round(call: &mut Call<'_, '_>) -> Answer {
    let places = call.int(1);
    let from = match call.value(2) {
        Value::Float(from) => *from,
        _ => 0.5,
    };
    let power = 10_f64.powf(places as f64);
    let shifted = power * to_float64(call.value(0));
    let rounded = if shifted.fract() >= from { shifted.ceil() } else { shifted.floor() };
    Ok((rounded / power).into())
}

/// Adds, subtracts … from left to right in decimals.
fn chained(first: &Value, others: &[Value], operation: fn(&Decimal, &Decimal) -> Result<Decimal, String>) -> Answer {
    let mut total = Decimal::from_float(to_float64(first))?;
    for value in others {
        total = operation(&total, &Decimal::from_float(to_float64(value))?)?;
    }
    Ok(total.to_float().into())
}

pub(crate) fn add1f(call: &mut Call<'_, '_>) -> Answer {
    chained(call.value(0), &[Value::int(1)], Decimal::plus)
}

pub(crate) fn addf(call: &mut Call<'_, '_>) -> Answer {
    chained(&Value::Float(0.0), &call.args, Decimal::plus)
}

pub(crate) fn subf(call: &mut Call<'_, '_>) -> Answer {
    chained(call.value(0), call.rest(1), Decimal::minus)
}

pub(crate) fn mulf(call: &mut Call<'_, '_>) -> Answer {
    chained(call.value(0), call.rest(1), Decimal::times)
}

pub(crate) fn divf(call: &mut Call<'_, '_>) -> Answer {
    chained(call.value(0), call.rest(1), Decimal::divided_by)
}
