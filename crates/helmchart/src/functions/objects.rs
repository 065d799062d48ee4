//! Values with methods that functions give: times, durations, versions, certificates.

use std::borrow::Cow;

use gotemplate::{Exec, FunctionError, IntKind, Kind, Named, Object, Signature, Type, Value};
use source::Text;

use super::clock::{Time, Zone, format_duration, round_duration};
use super::layout;
use super::version::{Constraint, Version};

/// The parameter type of a `time.Time`.
pub(crate) const TIME: Type = Type::Object("time.Time");
/// The parameter type of sprig's certificates.
pub(crate) const CERTIFICATE: Type = Type::Object("sprig.certificate");

/// `time.Duration`: a constant may stand for one.
static DURATION: Named = Named { name: "time.Duration", underlying: Type::INT64, methods: &[] };

/// Go's `time.RFC3339Nano`.
const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

static NO_ARGUMENTS: Signature = Signature::fixed(&[]);

fn not_callable(name: &str) -> FunctionError {
    FunctionError::new(format!("method {name} is not callable"))
}

/// A `time.Time`.
#[derive(Clone, Debug)]
pub(crate) struct TimeObject(pub(crate) Time);

impl Object for TimeObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("time.Time")
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        static ONE_TIME: Signature = Signature::fixed(&[TIME]);
        static ONE_STRING: Signature = Signature::fixed(&[Type::String]);
        static ONE_DURATION: Signature = Signature::fixed(&[Type::Named(&DURATION)]);
        static DATE: Signature = Signature::fixed(&[Type::INT, Type::INT, Type::INT]);
        match name {
            "After" | "Before" | "Equal" | "Sub" | "Compare" => Some(&ONE_TIME),
            "Format" => Some(&ONE_STRING),
            "Add" | "Round" | "Truncate" => Some(&ONE_DURATION),
            "AddDate" => Some(&DATE),
            "String" | "GoString" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "Year" | "Month" | "Day"
            | "Hour" | "Minute" | "Second" | "Nanosecond" | "YearDay" | "Weekday" | "IsZero" | "UTC" | "Local"
            | "IsDST" | "MarshalText" | "MarshalJSON" => Some(&NO_ARGUMENTS),
            _ => None,
        }
    }

    fn call_method(&self, name: &str, _: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let time = &self.0;
        let civil = time.civil();
        let int = |number: u32| Value::int(i64::from(number));
        let moment = |time: Time| Value::object(Self(time));
        let other = args.first().and_then(Value::downcast::<Self>).map(|object| &object.0);
        let order = other.map(|other| (time.seconds, time.nanos).cmp(&(other.seconds, other.nanos)));
        let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
        let scaled = |unit: i128| Value::int64(nanos.div_euclid(unit) as i64);
        let number = |index: usize| match args.get(index) {
            Some(Value::Int(_, number)) => *number,
            Some(value) => value.downcast::<DurationObject>().map_or(0, |duration| duration.0),
            None => 0,
        };
        Ok(match (name, order, other) {
            ("After", Some(order), _) => order.is_gt().into(),
            ("Before", Some(order), _) => order.is_lt().into(),
            ("Equal", Some(order), _) => order.is_eq().into(),
            ("Compare", Some(order), _) => Value::int(order as i64),
            ("Sub", _, Some(other)) => Value::object(DurationObject(time.since(other))),
            ("Format", ..) => {
                let pattern = args.first().and_then(Value::as_text).cloned().unwrap_or_default();
                layout::format(time, &pattern).into()
            }
            ("Add", ..) => moment(time.plus(number(0))),
            ("Round" | "Truncate", ..) => {
                let unit = number(0);
                if unit <= 0 {
                    return Ok(moment(time.clone()));
                }
                // Multiples count from Go's zero time.
                let since_zero =
                    i128::from(time.seconds - super::clock::ZERO_SECONDS) * 1_000_000_000 + i128::from(time.nanos);
                let rest = i64::try_from(since_zero.rem_euclid(i128::from(unit))).unwrap_or(0);
                let up = name == "Round" && rest.saturating_add(rest) >= unit;
                moment(time.plus(if up { unit - rest } else { -rest }))
            }
            ("AddDate", ..) => {
                let months = civil.year * 12 + i64::from(civil.month) - 1 + number(0) * 12 + number(1);
                let month = u32::try_from(months.rem_euclid(12)).unwrap_or(0) + 1;
                let days = i64::from(civil.day) - 1 + number(2);
                let of_day = i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60 + i64::from(civil.second);
                let seconds = days.saturating_mul(86_400).saturating_add(of_day);
                moment(Time::from_civil((months.div_euclid(12), month, 1), seconds, time.nanos, time.zone.clone()))
            }
            ("String", ..) => time_text(time).into(),
            ("GoString", ..) => time_source(time).into(),
            ("Unix", ..) => Value::int64(time.seconds),
            ("UnixMilli", ..) => scaled(1_000_000),
            ("UnixMicro", ..) => scaled(1_000),
            ("UnixNano", ..) => scaled(1),
            ("Year", ..) => Value::int(civil.year),
            ("Month", ..) => Value::object(NamedNumber::month(civil.month)),
            ("Weekday", ..) => Value::object(NamedNumber::weekday(civil.weekday)),
            ("Day", ..) => int(civil.day),
            ("Hour", ..) => int(civil.hour),
            ("Minute", ..) => int(civil.minute),
            ("Second", ..) => int(civil.second),
            ("Nanosecond", ..) => int(time.nanos),
            ("YearDay", ..) => int(civil.year_day),
            ("IsZero", ..) => (time.seconds == super::clock::ZERO_SECONDS && time.nanos == 0).into(),
            ("UTC", ..) => moment(time.in_zone(Zone::Utc)),
            ("Local", ..) => moment(time.in_zone(Zone::Local)),
            ("IsDST", ..) => false.into(),
            ("MarshalText", ..) => Value::Bytes(layout::format(time, RFC3339_NANO).as_bytes().into()),
            ("MarshalJSON", ..) => {
                Value::Bytes(format!("\"{}\"", layout::format(time, RFC3339_NANO)).as_bytes().into())
            }
            _ => return Err(not_callable(name)),
        })
    }

    fn display(&self) -> Option<Text> {
        Some(time_text(&self.0).into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| {
            let (a, b) = (&self.0, &other.0);
            (a.seconds, a.nanos, a.zone.name()) == (b.seconds, b.nanos, b.zone.name())
        })
    }
}

/// `Time.String`.
fn time_text(time: &Time) -> String {
    layout::format(time, "2006-01-02 15:04:05.999999999 -0700 MST")
}

/// `Time.GoString`.
fn time_source(time: &Time) -> String {
    let civil = time.civil();
    let zone = match &time.zone {
        Zone::Utc => "time.UTC".to_owned(),
        Zone::Local => "time.Local".to_owned(),
        other => format!("time.Location({})", gotemplate::format::quote(other.name().as_bytes())),
    };
    format!(
        "time.Date({}, time.{}, {}, {}, {}, {}, {}, {zone})",
        civil.year,
        layout::format(time, "January"),
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        time.nanos
    )
}

/// A `time.Month` or `time.Weekday`: a number that prints as a name.
struct NamedNumber {
    type_name: &'static str,
    number: i64,
    layout: &'static str,
}

/// The number of a month or a weekday: of all defined types, `cast` makes numbers only of these.
pub(crate) fn calendar_number(value: &Value) -> Option<i64> {
    value.downcast::<NamedNumber>().map(|named| named.number)
}

impl NamedNumber {
    fn month(month: u32) -> Self {
        Self { type_name: "time.Month", number: i64::from(month), layout: "January" }
    }

    fn weekday(day: usize) -> Self {
        Self { type_name: "time.Weekday", number: i64::try_from(day).unwrap_or(0), layout: "Monday" }
    }

    fn name(&self) -> String {
        let time = match self.layout {
            "January" => Time::from_civil((2000, u32::try_from(self.number).unwrap_or(1), 1), 0, 0, Zone::Utc),
            // 2000-01-02 was a Sunday.
            _ => Time::from_civil((2000, 1, 2), self.number * 86_400, 0, Zone::Utc),
        };
        layout::format(&time, self.layout)
    }
}

impl Object for NamedNumber {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.type_name)
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int)
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int(self.number))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "String").then_some(&NO_ARGUMENTS)
    }

    fn call_method(&self, _: &str, _: &mut Exec<'_>, _: Vec<Value>) -> Result<Value, FunctionError> {
        Ok(self.name().into())
    }

    fn display(&self) -> Option<Text> {
        Some(self.name().into())
    }
}

/// A `time.Duration`, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DurationObject(pub(crate) i64);

impl Object for DurationObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("time.Duration")
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int64)
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int64(self.0))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        static ONE_DURATION: Signature = Signature::fixed(&[Type::Named(&DURATION)]);
        match name {
            "String" | "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds" | "Abs" => {
                Some(&NO_ARGUMENTS)
            }
            "Round" | "Truncate" => Some(&ONE_DURATION),
            _ => None,
        }
    }

    fn call_method(&self, name: &str, _: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let unit = match args.first() {
            Some(Value::Int(_, nanos)) => *nanos,
            Some(value) => value.downcast::<Self>().map_or(0, |unit| unit.0),
            None => 0,
        };
        Ok(match name {
            "String" => format_duration(self.0).into(),
            "Hours" => self.in_units(3_600_000_000_000).into(),
            "Minutes" => self.in_units(60_000_000_000).into(),
            "Seconds" => self.in_units(1_000_000_000).into(),
            "Milliseconds" => Value::int64(self.0 / 1_000_000),
            "Microseconds" => Value::int64(self.0 / 1_000),
            "Nanoseconds" => Value::int64(self.0),
            "Abs" => Value::object(Self(self.0.saturating_abs())),
            "Round" => Value::object(Self(round_duration(self.0, unit))),
            "Truncate" => Value::object(self.truncated(unit)),
            _ => return Err(not_callable(name)),
        })
    }

    fn display(&self) -> Option<Text> {
        Some(format_duration(self.0).into())
    }
}

impl DurationObject {
    /// `Duration.Hours` and its like: whole units and the rest are divided apart, as in Go.
    pub(crate) fn in_units(self, unit: i64) -> f64 {
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }

    /// `Duration.Truncate`.
    pub(crate) fn truncated(self, unit: i64) -> Self {
        if unit <= 0 { self } else { Self(self.0 - self.0 % unit) }
    }
}

/// A `*semver.Version`, or a `semver.Version` as `IncMinor` gives it.
pub(crate) struct VersionObject {
    pub(crate) version: Version,
    pub(crate) pointer: bool,
    /// The text that was read, if it is traced.
    pub(crate) text: Text,
}

impl VersionObject {
    /// The zero version, of the same Go type.
    pub(crate) fn blank(&self) -> Self {
        Self { version: Version::default(), pointer: self.pointer, text: Text::default() }
    }
}

const VERSION_POINTER: Type = Type::Object("*semver.Version");

impl Object for VersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(if self.pointer { "*semver.Version" } else { "semver.Version" })
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Pointer } else { Kind::Struct }
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        static ONE_VERSION: Signature = Signature::fixed(&[VERSION_POINTER]);
        static ONE_STRING: Signature = Signature::fixed(&[Type::String]);
        match name {
            "String" | "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "IncMajor" | "IncMinor"
            | "IncPatch" => Some(&NO_ARGUMENTS),
            "SetPrerelease" | "SetMetadata" => Some(&ONE_STRING),
            "Original" if self.pointer => Some(&NO_ARGUMENTS),
            "Compare" | "Equal" | "LessThan" | "GreaterThan" | "LessThanEqual" | "GreaterThanEqual" if self.pointer => {
                Some(&ONE_VERSION)
            }
            _ => None,
        }
    }

    fn call_method(&self, name: &str, _: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let version = &self.version;
        let number = |number| Value::Uint(gotemplate::UintKind::Uint64, number);
        let derived = |text: String| Value::Str(Text::derived_from(text, [&self.text]));
        let order = args.first().and_then(Value::downcast::<Self>).map(|other| version.compare(&other.version));
        let changed = |version: Version| {
            let text = Text::derived_from(version.to_string(), [&self.text]);
            Value::object(Self { version: version.renamed(), pointer: false, text })
        };
        let bump = |segment: u64, what: &str| {
            segment
                .checked_add(1)
                .ok_or_else(|| FunctionError::new(format!("{what} version increment would overflow uint64")))
        };
        let plain = Version { prerelease: String::new(), metadata: String::new(), ..version.clone() };
        let argument = args.first().and_then(Value::as_text).cloned().unwrap_or_default();
        Ok(match (name, order) {
            ("String", _) => derived(version.to_string()),
            ("Original", _) => self.text.clone().into(),
            ("Major", _) => number(version.major),
            ("Minor", _) => number(version.minor),
            ("Patch", _) => number(version.patch),
            ("Prerelease", _) => derived(version.prerelease.clone()),
            ("Metadata", _) => derived(version.metadata.clone()),
            ("Compare", Some(order)) => Value::int(order as i64),
            ("Equal", Some(order)) => order.is_eq().into(),
            ("LessThan", Some(order)) => order.is_lt().into(),
            ("GreaterThan", Some(order)) => order.is_gt().into(),
            ("LessThanEqual", Some(order)) => order.is_le().into(),
            ("GreaterThanEqual", Some(order)) => order.is_ge().into(),
            ("IncPatch", _) if !version.prerelease.is_empty() => changed(plain),
            ("IncPatch", _) => changed(Version { patch: bump(version.patch, "patch")?, ..plain }),
            ("IncMinor", _) => changed(Version { minor: bump(version.minor, "minor")?, patch: 0, ..plain }),
            ("IncMajor", _) => changed(Version { major: bump(version.major, "major")?, minor: 0, patch: 0, ..plain }),
            ("SetPrerelease", _) => {
                check_part(&argument, "0.0.0-", "invalid prerelease string")?;
                changed(Version { prerelease: argument.to_string(), ..version.clone() })
            }
            ("SetMetadata", _) => {
                check_part(&argument, "0.0.0+", "invalid metadata string")?;
                changed(Version { metadata: argument.to_string(), ..version.clone() })
            }
            _ => return Err(not_callable(name)),
        })
    }

    fn display(&self) -> Option<Text> {
        Some(Text::derived_from(self.version.to_string(), [&self.text]))
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| {
            self.version.original == other.version.original && self.version.to_string() == other.version.to_string()
        })
    }
}

/// Whether a pre-release or metadata may be set.
fn check_part(text: &str, before: &str, complaint: &str) -> Result<(), FunctionError> {
    match Version::parse(&format!("{before}{text}")) {
        Ok(version) if text.is_empty() || version.prerelease == text || version.metadata == text => Ok(()),
        Err(error) if error.starts_with("version segment") => Err(error.into()),
        _ if text.is_empty() => Ok(()),
        _ => Err(complaint.into()),
    }
}

/// `semverCompare` over texts.
pub(crate) fn compares(constraint: &str, version: &str) -> Result<bool, String> {
    let constraint = Constraint::parse(constraint)?;
    Ok(constraint.holds(&Version::parse(version)?))
}

/// sprig's certificate: two PEM texts.
#[derive(Clone, Debug)]
pub(crate) struct CertificateObject {
    pub(crate) certificate: Text,
    pub(crate) key: Text,
}

impl Object for CertificateObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("sprig.certificate")
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", self.certificate.clone().into()), ("Key", self.key.clone().into())]
    }
}

/// What an object is to encoders.
pub(crate) enum Plain {
    Value(Value),
    /// Fields in their order.
    Fields(Vec<(Text, Value)>),
}

/// An object as `encoding/json` sees it: by its `MarshalJSON`, else its fields, else the value below.
pub(crate) fn plain(value: &Value) -> Plain {
    if let Some(time) = value.downcast::<TimeObject>() {
        return Plain::Value(layout::format(&time.0, RFC3339_NANO).into());
    }
    if let Some(version) = value.downcast::<VersionObject>() {
        return Plain::Value(version.version.to_string().into());
    }
    let named = |fields: Vec<(&'static str, Value)>| {
        Plain::Fields(fields.into_iter().map(|(name, value)| (Text::from(name), value)).collect())
    };
    if let Some(fields) = crate::objects::json_fields(value) {
        return named(fields);
    }
    let Value::Object(object) = value else { return Plain::Value(value.clone()) };
    match object.underlying() {
        Some(value) => Plain::Value(value),
        None if object.is_nil() => Plain::Value(Value::Nil),
        None => named(object.fields()),
    }
}
