//! The environment: `ROOMD_*`.

use std::{ffi::OsString, path::PathBuf};

use super::{
    invalid::{Fault, Invalid, nearest, quote, suggest},
    origin::{Given, Origin},
    table::{Row, TABLE},
};

const PREFIX: &str = "ROOMD_";
/// Names the configuration file.
pub(super) const CONFIG: &str = "ROOMD_CONFIG";
/// What begins like this belongs to the build, see `build.rs`.
const BUILD_PREFIX: &str = "ROOMD_BUILD_";

/// What the environment says.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) config: Option<PathBuf>,
    pub(super) given: Vec<Given>,
}

/// Reads the variables of roomd; an empty one counts as absent.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Environment, Invalid> {
    let mut environment = Environment::default();
    for (name, value) in variables {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || name.starts_with(BUILD_PREFIX) {
            continue;
        }
        if name == CONFIG {
            environment.config = Some(PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty());
            continue;
        }
        let row = TABLE.iter().find(|row| row.variable() == name).ok_or_else(|| unknown(&name))?;
        let origin = Origin::Environment(name.into_owned());
        let Ok(text) = value.into_string() else {
            return Err(Fault::new("the value is not UTF-8", "write it in UTF-8").at(origin));
        };
        if !text.is_empty() {
            environment.given.push(Given { row, texts: vec![text], origin });
        }
    }
    Ok(environment)
}

fn unknown(name: &str) -> Invalid {
    let names: Vec<_> = TABLE.iter().map(Row::variable).collect();
    let near = nearest(name, names.iter().map(String::as_str).chain([CONFIG])).map(str::to_owned);
    Fault::new("there is no such setting", suggest(near, "unset it, or see roomd --help"))
        .at(format!("environment {}", quote(name)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(variables: &[(&str, &str)]) -> Result<Vec<&'static str>, String> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        match read(variables) {
            Ok(environment) => Ok(environment.given.iter().map(|given| given.row.key).collect()),
            Err(invalid) => Err(invalid.to_string()),
        }
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        assert_eq!(
            keys(&[("ROOMD_CLIENTS", ""), ("ROOMD_ROOMS", "5"), ("ROOMD_CONFIG", "")]),
            Ok(vec!["rooms"])
        );
    }

    #[test]
    fn variables_of_others_and_of_the_build_are_let_be() {
        assert_eq!(keys(&[("HOME", "/"), ("ROOMD_BUILD_CLIENTS", "5"), ("XROOMD_CLIENTS", "x")]), Ok(vec![]));
    }

    #[test]
    fn an_unknown_variable_is_refused_even_when_it_is_empty() {
        assert_eq!(
            keys(&[("ROOMD_CLINETS", "")]),
            Err("environment `ROOMD_CLINETS`: there is no such setting; did you mean ROOMD_CLIENTS?".into())
        );
        assert!(keys(&[("ROOMD_COLOUR_SCHEME", "1")]).unwrap_err().contains("unset it"));
    }
}
