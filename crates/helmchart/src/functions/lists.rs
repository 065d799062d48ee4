//! Functions on lists. Lists are never changed in place, so a result shares nothing that matters with its input.

use gotemplate::{FunctionError, List, Type, Value, deep_equal};

use super::call::Call;
use super::go::{Answer, NIL_DEREFERENCE, is_empty, slice_of};
use super::number::to_int64;

/// Most elements that `until`, `untilStep` and `seq` make. Charts count replicas and ports; a million is already far
/// beyond what anybody reads.
pub(crate) const MOST_NUMBERS: usize = 1_000_000;

pub(crate) fn list(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::list(std::mem::take(&mut call.args)))
}

pub(crate) fn push(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot push on type")?;
    let mut items = list.items().to_vec();
    items.push(call.value(1).clone());
    charge(call, &items)?;
    Ok(Value::list(items))
}

pub(crate) fn prepend(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot prepend on type")?;
    let mut items = vec![call.value(1).clone()];
    items.extend_from_slice(list.items());
    charge(call, &items)?;
    Ok(Value::list(items))
}

/// Lists can grow by doubling (`concat $l $l`): their size counts as output.
fn charge(call: &mut Call<'_, '_>, items: &[Value]) -> Result<(), FunctionError> {
    call.exec.charge(std::mem::size_of_val(items))
}

pub(crate) fn first(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find first on type")?;
    Ok(list.items().first().cloned().unwrap_or(Value::Nil))
}

pub(crate) fn last(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find last on type")?;
    Ok(list.items().last().cloned().unwrap_or(Value::Nil))
}

pub(crate) fn rest(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find rest on type")?;
    Ok(match list.items().split_first() {
        Some((_, rest)) => Value::list(rest.to_vec()),
        None => List::nil(Type::LIST).into(),
    })
}

pub(crate) fn initial(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find initial on type")?;
    Ok(match list.items().split_last() {
        Some((_, initial)) => Value::list(initial.to_vec()),
        None => List::nil(Type::LIST).into(),
    })
}

pub(crate) fn reverse(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find reverse on type")?;
    Ok(Value::list(list.items().iter().rev().cloned().collect()))
}

pub(crate) fn compact(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot compact on type")?;
    Ok(Value::list(list.items().iter().filter(|item| !is_empty(item)).cloned().collect()))
}

pub(crate) fn uniq(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find uniq on type")?;
    let mut kept: Vec<Value> = Vec::new();
    for item in list.items() {
        // Comparing all with all is quadratic: it counts as work.
        call.exec.charge(kept.len())?;
        if !kept.iter().any(|other| deep_equal(item, other)) {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

pub(crate) fn without(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "Cannot find without on type")?;
    let omitted = call.rest(1);
    let kept = list.items().iter().filter(|item| !omitted.iter().any(|other| deep_equal(item, other)));
    Ok(Value::list(kept.cloned().collect()))
}

pub(crate) fn has(call: &mut Call<'_, '_>) -> Answer {
    if matches!(call.value(1), Value::Nil) {
        return Ok(false.into());
    }
    let list = slice_of(call.value(1), "Cannot find has on type")?;
    Ok(list.items().iter().any(|item| deep_equal(call.value(0), item)).into())
}

pub(crate) fn slice(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(0), "list should be type of slice or array but")?;
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let indices = call.rest(1);
    let start = indices.first().map_or(0, to_int64);
    let end = indices.get(1).map_or(i64::try_from(list.len()).unwrap_or(i64::MAX), to_int64);
    let sliced = match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => list.slice(start, end),
        _ => None,
    };
    sliced.map(Value::List).ok_or_else(|| "reflect.Value.Slice: slice index out of bounds".into())
}

pub(crate) fn concat(call: &mut Call<'_, '_>) -> Answer {
    let mut lists = Vec::with_capacity(call.args.len());
    for value in call.rest(0) {
        if matches!(value, Value::Nil) {
            return Err(NIL_DEREFERENCE.into());
        }
        let Some(list) = value.as_list() else {
            return Err(format!("Cannot concat type {} as list", value.kind()).into());
        };
        lists.push(list);
    }
    let length = lists.iter().map(List::len).sum();
    // It is there twice: as it is put together, and as it is kept.
    call.exec.charge(length * 2 * size_of::<Value>())?;
    let mut items = Vec::with_capacity(length);
    lists.iter().for_each(|list| items.extend_from_slice(list.items()));
    // The original appends to a nil slice: without items it stays nil, and prints as `null`.
    Ok(if items.is_empty() { List::nil(Type::LIST).into() } else { Value::list(items) })
}

pub(crate) fn chunk(call: &mut Call<'_, '_>) -> Answer {
    let list = slice_of(call.value(1), "Cannot chunk type")?;
    let too_long = || FunctionError::new("runtime error: makeslice: len out of range");
    let (length, size) = (list.len(), call.int(0));
    let made: Vec<Value> = match usize::try_from(size) {
        Ok(0) => return Err(too_long()),
        Ok(size) => list.items().chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect(),
        // The original divides as floats: a negative size gives this many chunks.
        Err(_) => match ((length as f64 - 1.0) / size as f64).floor() + 1.0 {
            0.0 => Vec::new(),
            1.0 if length == 1 && size < -1 => vec![Value::list(list.items().to_vec())],
            _ => return Err(too_long()),
        },
    };
    Ok(List::typed(Type::Slice(&Type::LIST), made).into())
}

/// `untilStep`: from `start` to before `stop`.
pub(crate) fn numbers(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FunctionError> {
    let upward = start <= stop;
    if (upward && step <= 0) || (!upward && step >= 0) {
        return Ok(Vec::new());
    }
    // A list that grows leaves as much behind as it has.
    let count = stop.abs_diff(start).div_ceil(step.unsigned_abs());
    let mut out = Vec::with_capacity(usize::try_from(count).map_or(MOST_NUMBERS, |count| count.min(MOST_NUMBERS)));
    let mut number = start;
    while if upward { number < stop } else { number > stop } {
        if out.len() == MOST_NUMBERS {
            return Err(FunctionError::limit(format!("a list of numbers may have at most {MOST_NUMBERS} of them")));
        }
        out.push(number);
        let Some(next) = number.checked_add(step) else { break };
        number = next;
    }
    Ok(out)
}

fn integers(call: &mut Call<'_, '_>, numbers: Vec<i64>) -> Answer {
    // Before it is made: a list that is too large takes no memory.
    call.exec.charge(numbers.len() * size_of::<Value>())?;
    let items: Vec<Value> = numbers.into_iter().map(Value::int).collect();
    Ok(List::typed(Type::INTS, items).into())
}

pub(crate) fn until(call: &mut Call<'_, '_>) -> Answer {
    let count = call.int(0);
    let numbers = numbers(0, count, if count < 0 { -1 } else { 1 })?;
    integers(call, numbers)
}

pub(crate) fn until_step(call: &mut Call<'_, '_>) -> Answer {
    let numbers = numbers(call.int(0), call.int(1), call.int(2))?;
    integers(call, numbers)
}

pub(crate) fn seq(call: &mut Call<'_, '_>) -> Answer {
    let params: Vec<i64> = (0..call.args.len()).map(|index| call.int(index)).collect();
    let found = match params[..] {
        [end] => {
            let step = if end < 1 { -1 } else { 1 };
            numbers(1, end.wrapping_add(step), step)?
        }
        [start, end] => {
            let step = if end < start { -1 } else { 1 };
            numbers(start, end.wrapping_add(step), step)?
        }
        [start, step, end] => {
            let increment = if end < start { -1 } else { 1 };
            if end < start && step > 0 {
                return Ok("".into());
            }
            numbers(start, end.wrapping_add(increment), step)?
        }
        _ => Vec::new(),
    };
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    let text = texts.join(" ");
    call.exec.charge(text.len())?;
    Ok(text.into())
}
