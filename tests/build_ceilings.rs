//! The build's own table of ceilings: what it takes from the environment, and what stops it.

#[allow(dead_code, clippy::print_stdout, reason = "its `main` is for cargo")]
#[path = "../build.rs"]
mod build;

fn constants(variables: &[(&str, String)]) -> Result<String, String> {
    build::constants(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())))
}

#[test]
fn without_variables_every_ceiling_has_its_default() {
    let constants = constants(&[("PATH", "/bin".into())]).expect("nothing is wrong");
    for (name, ..) in build::CEILINGS {
        assert!(constants.contains(&format!("pub const {name}_MAX: usize = ")), "{name}");
    }
    assert!(constants.contains("pub const CLIENTS_MAX: usize = 16_384;"));
}

#[test]
fn each_ceiling_is_taken_within_its_range_and_refused_one_step_outside() {
    for &(name, _, least, greatest) in build::CEILINGS {
        let variable = format!("ROOMD_BUILD_{name}");
        for good in [least, least + 1, greatest - 1, greatest] {
            constants(&[(&variable, good.to_string())]).expect("it is within the range");
        }
        for bad in [(least - 1).to_string(), (greatest + 1).to_string(), String::new(), "many".into()] {
            let why = constants(&[(&variable, bad.clone())]).expect_err("it is outside the range");
            assert_eq!(why, format!("{variable}={bad}: give a whole number from {least} to {greatest}"));
        }
    }
}

#[test]
fn a_name_that_is_no_ceiling_is_refused_with_those_there_are() {
    let why = constants(&[("ROOMD_BUILD_CLINETS", "3".into())]).expect_err("it is misspelt");
    assert!(
        why.starts_with("ROOMD_BUILD_CLINETS is not a ceiling of roomd; there are: CLIENTS, ROOMS,"),
        "{why}"
    );
}
