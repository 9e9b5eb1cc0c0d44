//! Settings together with where each value came from.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    arguments::Flags,
    check, environment, file,
    invalid::Invalid,
    origin::{Given, Origin},
    plan::Plan,
    settings::Settings,
    table::{Row, TABLE},
};

/// All settings, checked, and the origin of each.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The values.
    pub settings: Settings,
    origins: [Origin; TABLE.len()],
}

impl Configuration {
    /// Flags over environment over the file over defaults. The file is the one that `--config` or else
    /// `ROOMD_CONFIG` names, or else the one at `default_path` where there is one.
    ///
    /// # Errors
    /// The first thing that is wrong: an unknown name, a bad value, values that do not fit together. A bad
    /// value is refused even where a stronger source overrides it.
    pub fn load(
        flags: Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        default_path: &Path,
    ) -> Result<Self, Invalid> {
        let environment = environment::read(variables)?;
        let asked = |path: Option<PathBuf>, by| path.map(|path| (path, by));
        let path =
            asked(flags.config, "flag --config").or(asked(environment.config, "environment ROOMD_CONFIG"));
        Self::merge([file::read(path, default_path)?, environment.given, flags.given])
    }

    /// As [`Configuration::load`], for whoever has read the file at `path` already: no disk is touched.
    ///
    /// # Errors
    /// As there.
    pub fn from_text(
        flags: Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        path: &Path,
        text: &str,
    ) -> Result<Self, Invalid> {
        let environment = environment::read(variables)?;
        Self::merge([file::parse(path, text)?, environment.given, flags.given])
    }

    /// Lays the layers over the defaults, the strongest last.
    pub(super) fn merge(layers: [Vec<Given>; 3]) -> Result<Self, Invalid> {
        let mut merged =
            Self { settings: Settings::default(), origins: [const { Origin::Default }; TABLE.len()] };
        for Given { row, texts, origin } in layers.into_iter().flatten() {
            let value = row.parse(&texts).map_err(|fault| fault.at(origin.place(row)))?;
            (row.set)(&mut merged.settings, value);
            merged.origins[row.index()] = origin;
        }
        check::relations(&merged)?;
        Ok(merged)
    }

    /// Where the value of `row` came from.
    pub fn origin(&self, row: &Row) -> &Origin {
        &self.origins[row.index()]
    }

    /// The memory that these settings can need.
    ///
    /// # Errors
    /// It is more than `memory_max`.
    pub fn check_plan(&self) -> Result<Plan, Invalid> {
        let plan = Plan::of(&self.settings);
        check::memory(self, &plan)?;
        Ok(plan)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::table::row, *};

    fn given(key: &str, text: &str, origin: Origin) -> Given {
        Given { row: row(key).unwrap(), texts: vec![text.to_owned()], origin }
    }

    fn in_file(key: &str, text: &str) -> Given {
        given(key, text, Origin::File { path: Path::new("f").into(), line: 7 })
    }

    fn in_environment(key: &str, text: &str) -> Given {
        given(key, text, Origin::Environment(row(key).unwrap().variable()))
    }

    fn as_flag(key: &str, text: &str) -> Given {
        given(key, text, Origin::Flag(row(key).unwrap().flag()))
    }

    #[test]
    fn with_nothing_given_all_is_default() {
        let configuration = Configuration::merge([vec![], vec![], vec![]]).unwrap();
        assert_eq!(configuration.settings, Settings::default());
        assert!(TABLE.iter().all(|row| *configuration.origin(row) == Origin::Default));
    }

    #[test]
    fn each_layer_wins_over_the_ones_below_it_and_keeps_its_origin() {
        let layers = |count: usize| {
            let mut layers = [
                vec![in_file("clients", "1")],
                vec![in_environment("clients", "2")],
                vec![as_flag("clients", "3")],
            ];
            layers[count..].iter_mut().for_each(Vec::clear);
            Configuration::merge(layers).unwrap()
        };
        for (count, origin) in
            ["default", "file f line 7", "environment ROOMD_CLIENTS", "flag --clients"].iter().enumerate()
        {
            let configuration = layers(count);
            let clients = if count == 0 { Settings::default().clients } else { count };
            assert_eq!(configuration.settings.clients, clients);
            assert_eq!(configuration.origin(row("clients").unwrap()).to_string(), *origin);
            assert_eq!(*configuration.origin(row("rooms").unwrap()), Origin::Default);
        }
    }

    #[test]
    fn a_list_of_a_stronger_layer_replaces_the_weaker_one() {
        let layers = [vec![in_file("allowed_hosts", "a,b")], vec![], vec![as_flag("allowed_hosts", "c")]];
        assert_eq!(Configuration::merge(layers).unwrap().settings.allowed_hosts, ["c"]);
    }

    #[test]
    fn a_bad_value_is_refused_even_where_it_is_overridden() {
        let layers = [vec![in_file("clients", "0")], vec![], vec![as_flag("clients", "3")]];
        let error = Configuration::merge(layers).unwrap_err().to_string();
        assert!(error.starts_with("file f line 7, clients: `0` is out of range; give"), "{error}");
    }

    #[test]
    fn a_relation_may_be_broken_by_a_weaker_layer_alone() {
        let layers = [vec![in_file("message_bytes", "128KiB")], vec![as_flag("log_bytes", "512KiB")], vec![]];
        let error = Configuration::merge(layers).unwrap_err().to_string();
        assert!(error.starts_with("outbox_bytes (default) and message_bytes (file f line 7): "), "{error}");
        let layers = [
            vec![in_file("message_bytes", "128KiB")],
            vec![in_environment("log_bytes", "512KiB"), in_environment("outbox_bytes", "128KiB")],
            vec![],
        ];
        assert_eq!(Configuration::merge(layers).unwrap().settings.message_bytes, 128 << 10);
    }

    #[test]
    fn a_secret_is_not_in_what_debugging_prints() {
        let layers = [vec![], vec![in_environment("token", "hush-hush")], vec![]];
        let configuration = Configuration::merge(layers).unwrap();
        assert_eq!(configuration.settings.token.as_deref(), Some("hush-hush"));
        assert!(!format!("{configuration:?}").contains("hush-hush"));
    }
}
