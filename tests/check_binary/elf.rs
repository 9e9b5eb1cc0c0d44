//! As much of an ELF file as `readelf` needs to tell what it is: no program, but quickly made wrong in one way.

const LOAD: u32 = 1;
const INTERP: u32 = 3;
const ARM_ATTRIBUTES: u32 = 0x7000_0003;

/// What is said of a file; [`Elf::bytes`] makes one of it.
#[derive(Debug, Clone)]
pub(crate) struct Elf {
    pub(crate) is_64_bit: bool,
    pub(crate) machine: u16,
    /// Of each part that is loaded.
    pub(crate) alignments: Vec<u64>,
    pub(crate) wants_loader: bool,
    /// Tags of the build attributes with their values ("Addenda to the ABI for the Arm Architecture").
    pub(crate) attributes: Vec<(u8, u8)>,
}

pub(crate) const TAG_CPU_ARCH: u8 = 6;
pub(crate) const TAG_FP_ARCH: u8 = 10;
pub(crate) const TAG_ADVANCED_SIMD_ARCH: u8 = 12;
pub(crate) const TAG_ABI_VFP_ARGS: u8 = 28;

/// A file that is being written, in the widths of its class.
struct Writer {
    is_64_bit: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn half(&mut self, value: u16) {
        self.bytes.extend(value.to_le_bytes());
    }

    fn word(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// An address, an offset or a size.
    fn long(&mut self, value: u64) {
        let width = if self.is_64_bit { 8 } else { 4 };
        self.bytes.extend(&value.to_le_bytes()[..width]);
    }

    fn program_header(&mut self, kind: u32, alignment: u64) {
        self.word(kind);
        if self.is_64_bit {
            self.word(4);
        }
        // Offset, virtual and physical address, size in the file and in memory.
        (0..5).for_each(|_| self.long(0));
        if !self.is_64_bit {
            self.word(4);
        }
        self.long(alignment);
    }

    fn section_header(&mut self, kind: u32, offset: usize, size: usize) {
        self.word(0);
        self.word(kind);
        // Flags and address before the place, link and more behind.
        for value in [0, 0, offset as u64, size as u64] {
            self.long(value);
        }
        self.word(0);
        self.word(0);
        self.long(1);
        self.long(0);
    }
}

impl Elf {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (header, program, section) = if self.is_64_bit { (64, 56, 64) } else { (52, 32, 40) };
        let programs = self.alignments.len() + usize::from(self.wants_loader);
        let attributes = self.attribute_bytes();
        let attributes_at = header + programs * program;
        let sections_at = attributes_at + attributes.len();
        let class = if self.is_64_bit { 2 } else { 1 };
        let mut file = Writer { is_64_bit: self.is_64_bit, bytes: b"\x7FELF".to_vec() };
        file.bytes.extend([class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.half(2);
        file.half(self.machine);
        file.word(1);
        for value in [0, header as u64, sections_at as u64] {
            file.long(value);
        }
        file.word(0x0500_0400);
        for value in [header, program, programs, section, 2, 0] {
            file.half(u16::try_from(value).unwrap());
        }
        assert_eq!(file.bytes.len(), header);
        self.alignments.iter().for_each(|&alignment| file.program_header(LOAD, alignment));
        if self.wants_loader {
            file.program_header(INTERP, 1);
        }
        file.bytes.extend(&attributes);
        file.section_header(0, 0, 0);
        file.section_header(ARM_ATTRIBUTES, attributes_at, attributes.len());
        file.bytes
    }

    fn attribute_bytes(&self) -> Vec<u8> {
        let pairs: Vec<u8> = self.attributes.iter().flat_map(|&(tag, value)| [tag, value]).collect();
        // Tag_File and its length, which covers both; then the same around it with the name of the vendor.
        let size = |size: usize| u32::try_from(size).unwrap().to_le_bytes();
        let of_file = [&[1], &size(5 + pairs.len())[..], &pairs].concat();
        [b"A", &size(10 + of_file.len())[..], b"aeabi\0", &of_file].concat()
    }
}
