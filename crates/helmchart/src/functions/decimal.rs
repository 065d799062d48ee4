//! Decimal arithmetic as `shopspring/decimal` does it: a whole number times a power of ten. sprig's `addf`, `mulf` …
//! go from float to decimal and back, so 0.1 + 0.2 is 0.3.

use num_bigint::{BigInt, Sign};

/// Digits after the point that a division keeps; the original's default.
const DIVISION_PRECISION: i64 = 16;
/// Largest power of ten that is worked with. Floats reach 10^±324; a longer chain of products would only build ever
/// longer numbers that end as infinity or zero.
const MOST_EXPONENT: i64 = 20_000;

/// `value × 10^exponent`.
#[derive(Clone, Debug)]
pub(crate) struct Decimal {
    value: BigInt,
    exponent: i64,
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent.clamp(0, 2 * MOST_EXPONENT)).unwrap_or(0))
}

impl Decimal {
    /// The shortest decimal that reads back as `number`. The error is the original's panic.
    pub(crate) fn from_float(number: f64) -> Result<Self, String> {
        if !number.is_finite() {
            let name = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(format!("Cannot create a Decimal from {name}"));
        }
        // `{:e}` prints the shortest digits: `1.25e-7`.
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i64 = exponent.parse().unwrap_or(0);
        let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let value = mantissa.replace('.', "").parse().unwrap_or_default();
        Ok(Self { value, exponent: exponent - i64::try_from(places).unwrap_or(0) })
    }

    /// Back to a float, correctly rounded.
    pub(crate) fn to_float(&self) -> f64 {
        format!("{}e{}", self.value, self.exponent).parse().unwrap_or(0.0)
    }

    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let scale = |decimal: &Self| &decimal.value * power_of_ten(decimal.exponent - exponent);
        (scale(self), scale(other), exponent)
    }

    pub(crate) fn plus(&self, other: &Self) -> Result<Self, String> {
        let (a, b, exponent) = self.aligned(other);
        Ok(Self { value: a + b, exponent })
    }

    pub(crate) fn minus(&self, other: &Self) -> Result<Self, String> {
        let (a, b, exponent) = self.aligned(other);
        Ok(Self { value: a - b, exponent })
    }

    pub(crate) fn times(&self, other: &Self) -> Result<Self, String> {
        let exponent = self.exponent + other.exponent;
        if exponent.abs() > MOST_EXPONENT {
            return Err(format!("exponent {exponent} overflows an int32!"));
        }
        Ok(Self { value: &self.value * &other.value, exponent })
    }

    /// Rounded half away from zero at sixteen places.
    pub(crate) fn divided_by(&self, other: &Self) -> Result<Self, String> {
        if other.value.sign() == Sign::NoSign {
            return Err("decimal division by 0".to_owned());
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let (mut above, mut below) = (self.value.clone(), other.value.clone());
        if shift < 0 {
            below *= power_of_ten(-shift);
        } else {
            above *= power_of_ten(shift);
        }
        let mut quotient = &above / &below;
        let rest = &above % &below;
        if rest.magnitude() * 2_u32 >= *below.magnitude() {
            let negative = (self.value.sign() == Sign::Minus) != (other.value.sign() == Sign::Minus);
            quotient += if negative { -1 } else { 1 };
        }
        Ok(Self { value: quotient, exponent: -DIVISION_PRECISION })
    }
}
