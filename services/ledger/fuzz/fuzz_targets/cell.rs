//! People's texts in a CSV file: no cell begins like a formula, and an import reads the texts that an export was given.
//!
//! The module alone, without the store around it. Cells are cut from the input at a byte that no UTF-8 has.
#![no_main]

#[path = "../../src/cell.rs"]
mod cell;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let texts: Vec<String> =
        bytes.split(|byte| *byte == 0xff).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let mut file = csv::Writer::from_writer(Vec::new());
    // Two columns: an empty line is no row to anybody who reads.
    for text in &texts {
        file.write_record(["row", &cell::guarded(text)]).expect("memory takes it");
    }
    let file = file.into_inner().expect("and gives it back");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_slice());
    let mut rows = 0;
    for (row, text) in reader.records().zip(&texts) {
        let row = row.expect("what was written is read");
        assert_eq!(row.len(), 2, "a text stays in its cell");
        let cell = &row[1];
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?} begins like a formula");
        assert_eq!(cell::unguarded(cell), text);
        rows += 1;
    }
    assert_eq!(rows, texts.len(), "a text stays in its row");
    // Whatever a foreign file holds is text.
    let mut foreign = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    for row in foreign.records().flatten() {
        for cell in &row {
            let text = cell::unguarded(cell);
            assert!(text == cell || cell::guarded(text) == cell);
        }
    }
});
