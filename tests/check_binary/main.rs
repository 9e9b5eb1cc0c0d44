//! `scripts/check-binary`: what a board cannot run is refused, each fault by its name.

#![allow(clippy::unwrap_used)]

mod elf;

use elf::{Elf, TAG_ABI_VFP_ARGS, TAG_ADVANCED_SIMD_ARCH, TAG_CPU_ARCH, TAG_FP_ARCH};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

const SIZE_MAX: usize = 4 << 20;
const PAGE_OF_A_PI_5: u64 = 16 << 10;
/// Values of `Tag_CPU_arch` and `Tag_FP_arch`.
const V6: u8 = 6;
const V6KZ: u8 = 7;
const V6T2: u8 = 8;
const V6K: u8 = 9;
const V7: u8 = 10;
const VFP2: u8 = 2;
const VFP3: u8 = 3;
const VFP3_D16: u8 = 4;

/// What the script says of a file, one line each; empty if it lets it pass.
fn said_of(path: &Path, target: &str) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check-binary");
    let output = Command::new(script).arg(path).arg(target).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!said.is_empty())), "{said}");
    said.lines().map(str::to_owned).collect()
}

/// The same of bytes.
fn said_of_bytes(bytes: &[u8], target: &str) -> Vec<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path: PathBuf = std::env::temp_dir().join(format!("roomd-elf-{}-{number}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    let said = said_of(&path, target);
    fs::remove_file(&path).unwrap();
    said
}

#[track_caller]
fn assert_passes(elf: &Elf, target: &str) {
    assert_eq!(said_of_bytes(&elf.bytes(), target), [""; 0], "{elf:?}");
}

/// It has one fault, of which this is told.
#[track_caller]
fn assert_refused(elf: &Elf, target: &str, told: &str) {
    let said = said_of_bytes(&elf.bytes(), target);
    assert!(said.len() == 1 && said[0].contains(told), "{told}: {said:?}");
}

fn aarch64() -> Elf {
    let alignments = vec![PAGE_OF_A_PI_5, 64 << 10];
    Elf { is_64_bit: true, machine: 183, alignments, wants_loader: false, attributes: Vec::new() }
}

fn x86_64() -> Elf {
    Elf { machine: 62, alignments: vec![4 << 10], ..aarch64() }
}

fn arm(cpu: u8, fpu: u8) -> Elf {
    let attributes = vec![(TAG_CPU_ARCH, cpu), (TAG_FP_ARCH, fpu), (TAG_ABI_VFP_ARGS, 1)];
    Elf { is_64_bit: false, machine: 40, alignments: vec![4 << 10], wants_loader: false, attributes }
}

#[test]
fn what_a_board_can_run_passes() {
    assert_passes(&aarch64(), "aarch64");
    assert_passes(&x86_64(), "x86_64");
    for cpu in [V6, V6K, V6KZ] {
        assert_passes(&arm(cpu, VFP2), "arm");
    }
    for fpu in [VFP3, VFP3_D16] {
        assert_passes(&arm(V7, fpu), "armv7");
    }
}

#[test]
fn the_binary_of_another_target_is_refused() {
    let files =
        [("aarch64", aarch64()), ("x86_64", x86_64()), ("armv7", arm(V7, VFP3_D16)), ("arm", arm(V6, VFP2))];
    for (made_for, elf) in &files {
        for (target, _) in &files {
            let said = said_of_bytes(&elf.bytes(), target);
            assert_eq!(said.is_empty(), made_for == target, "{made_for} as {target}: {said:?}");
        }
    }
}

#[test]
fn a_dynamic_binary_is_refused() {
    let said = said_of(Path::new(env!("CARGO_BIN_EXE_roomd")), "x86_64").join("\n");
    assert!(said.contains("(INTERP)") && said.contains("(NEEDED)"), "{said}");
    assert_refused(&Elf { wants_loader: true, ..aarch64() }, "aarch64", "(INTERP)");
}

#[test]
fn parts_that_lie_closer_than_a_page_of_16_kib_are_refused() {
    for alignment in [PAGE_OF_A_PI_5 / 2, PAGE_OF_A_PI_5 - 1, PAGE_OF_A_PI_5 + 1] {
        let alignments = vec![64 << 10, alignment];
        assert_refused(&Elf { alignments, ..aarch64() }, "aarch64", "a page of 16 KiB needs 0x4000");
    }
}

#[test]
fn instructions_that_an_old_processor_does_not_know_are_refused() {
    for cpu in [V6T2, V7] {
        assert_refused(&arm(cpu, VFP2), "arm", "Tag_CPU_arch");
    }
    assert_refused(&arm(V7 + 4, VFP3), "armv7", "Tag_CPU_arch");
    assert_refused(&arm(V6, VFP3), "arm", "Tag_FP_arch");
    for mut elf in [arm(V6, VFP2), arm(V7, VFP3)] {
        let target = if elf.attributes[0].1 == V6 { "arm" } else { "armv7" };
        elf.attributes.push((TAG_ADVANCED_SIMD_ARCH, 1));
        assert_refused(&elf, target, "NEON");
    }
}

#[test]
fn floats_that_are_passed_in_general_registers_are_refused() {
    let mut elf = arm(V6, VFP2);
    elf.attributes.retain(|attribute| attribute.0 != TAG_ABI_VFP_ARGS);
    assert_refused(&elf, "arm", "hard float");
}

#[test]
fn four_mib_pass_and_one_byte_more_does_not() {
    let mut bytes = aarch64().bytes();
    for size in [SIZE_MAX - 1, SIZE_MAX] {
        bytes.resize(size, 0);
        assert_eq!(said_of_bytes(&bytes, "aarch64"), [""; 0]);
    }
    bytes.push(0);
    let said = said_of_bytes(&bytes, "aarch64");
    assert!(said.len() == 1 && said[0].ends_with("it has 4194305 bytes, 4194304 at most"), "{said:?}");
}

#[test]
fn a_file_whose_name_looks_like_a_format_is_told_by_that_name() {
    let path = std::env::temp_dir().join(format!("roomd-elf-{}-a%sb%d", std::process::id()));
    fs::write(&path, Elf { wants_loader: true, ..aarch64() }.bytes()).unwrap();
    let said = said_of(&path, "aarch64");
    fs::remove_file(&path).unwrap();
    let told = format!("{} is not for aarch64: it wants a dynamic loader", path.display());
    assert!(said.len() == 1 && said[0].starts_with(&told), "{said:?}");
}

#[test]
fn what_is_no_binary_and_what_is_no_target_is_told_with_what_to_do() {
    assert!(said_of_bytes(b"#!/bin/sh\n", "arm")[0].ends_with(" is no ELF file"));
    let said = said_of(Path::new("/nonexistent"), "arm");
    assert_eq!(said, ["check-binary: there is no file /nonexistent; build it with scripts/cross-build arm"]);
    let said = said_of(Path::new("/bin/sh"), "armv6");
    assert!(said[0].starts_with("check-binary: `armv6`: there is no such target; there are: aarch64"));
}
