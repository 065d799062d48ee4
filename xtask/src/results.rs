//! `benches/RESULTS.md`: one section per task that measures, each replaced as a whole. Other documents may have such sections too.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::repository;
use crate::terminal::say;

/// Puts `text` between the marks of section `name`, which is added at the end if it is not there.
pub(crate) fn replace(name: &str, text: &str) -> Result<()> {
    replace_in("benches/RESULTS.md", name, text)
}

/// The same in another document of the repository.
pub(crate) fn replace_in(document: &str, name: &str, text: &str) -> Result<()> {
    let path = repository::root()?.join(document);
    let known = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
    std::fs::write(&path, replaced(&known, name, text)).with_context(|| format!("cannot write `{path}`"))?;
    say(&format!("wrote the section `{name}` of {document}"));
    Ok(())
}

fn replaced(known: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->\n"));
    let section = format!("{begin}{}\n{end}", text.trim_end());
    match (known.find(&begin), known.find(&end)) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{section}{}", &known[..from], &known[to + end.len()..])
        }
        _ => format!("{}\n\n{section}", known.trim_end()),
    }
}

/// One line: processor, cores, system, date.
pub(crate) fn machine() -> Result<String> {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let said = |program: &str, arguments: &[&str]| -> Result<String> {
        let output =
            Command::new(program).args(arguments).output().with_context(|| format!("cannot run `{program}`"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    Ok(format!(
        "{}, {cores} cores, {}, {}\n",
        model.trim_start_matches(['\t', ':', ' ']),
        said("uname", &["-sr"])?,
        said("date", &["-u", "+%F"])?
    ))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_section_is_replaced_or_added() {
        let once = replaced("# Results\n", "a", "one");
        assert_eq!(once, "# Results\n\n<!-- a: begin -->\none\n<!-- a: end -->\n");
        let twice = replaced(&format!("{once}\nmore\n"), "a", "two\n");
        assert_eq!(twice, "# Results\n\n<!-- a: begin -->\ntwo\n<!-- a: end -->\n\nmore\n");
    }
}
