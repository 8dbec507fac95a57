//! Bytes to text: sizes, encodings, what cannot be read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nostall_model::finding::ProblemCode;
use nostall_model::{Language, Role, Source};

use super::{Project, Reported, Request, absolute, language_of};
use crate::settings::FileSettings;

/// A text, and whether it had to be decoded.
struct Decoded {
    text: String,
    decoded: bool,
}

/// Why a file was not read.
struct Refused {
    code: ProblemCode,
    message: String,
}

/// Reads all files in the order of their paths.
pub(crate) fn read_all(
    request: &Request,
    files: &BTreeSet<PathBuf>,
    reported: &Reported,
    project: &mut Project,
) {
    let stdin = request
        .stdin
        .as_ref()
        .map(|(path, text)| (absolute(&request.current_dir, path), text));
    for path in files {
        let mut settings = project.config.of(path);
        let role = reported.role(path, &mut settings);
        match &stdin {
            Some((named, text)) if named == path => {
                let Some(language) = language_of(path) else {
                    continue;
                };
                let decoded = Decoded {
                    text: (*text).clone(),
                    decoded: false,
                };
                add(project, path, language, decoded, Role::Report, settings);
            }
            _ => read_one(project, path, role, settings),
        }
    }
}

/// Reads one file; what keeps it from being read is a problem.
pub(crate) fn read_one(project: &mut Project, path: &Path, role: Role, settings: FileSettings) {
    let Some(language) = language_of(path) else {
        return;
    };
    match read(path, language, settings.max_file_size) {
        Ok(decoded) => add(project, path, language, decoded, role, settings),
        Err(refused) if role == Role::Report => {
            project.problem(project.shown(path), refused.code, refused.message);
        }
        Err(_) => {}
    }
}

fn add(
    project: &mut Project,
    path: &Path,
    language: Language,
    decoded: Decoded,
    role: Role,
    settings: FileSettings,
) {
    let source = Source {
        path: project.shown(path),
        language,
        role,
        text: decoded.text.into(),
        decoded: decoded.decoded,
    };
    project.add(path, source, settings);
}

fn read(path: &Path, language: Language, limit: u64) -> Result<Decoded, Refused> {
    let unreadable = |error: std::io::Error| Refused {
        code: ProblemCode::Unreadable,
        message: format!("not read: {error}"),
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Refused {
            code: ProblemCode::Unreadable,
            message: "not read: not a regular file".to_owned(),
        });
    }
    if metadata.len() > limit {
        let (size, limit) = (mebibytes(metadata.len()), mebibytes(limit));
        let message = format!("not read: {size} MiB is more than `max-file-size`, {limit} MiB");
        return Err(Refused {
            code: ProblemCode::TooLarge,
            message,
        });
    }
    decode(std::fs::read(path).map_err(unreadable)?, language)
}

fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / 1_048_576.0 * 10.0).ceil() / 10.0
}

fn decode(bytes: Vec<u8>, language: Language) -> Result<Decoded, Refused> {
    let refused = |message: &str| Refused {
        code: ProblemCode::Encoding,
        message: format!("not read: {message}"),
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refused("the file is UTF-16; save it as UTF-8"));
    }
    if bytes.contains(&0) {
        return Err(refused("the file has NUL bytes: it is no source text"));
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => {
            return Ok(Decoded {
                text,
                decoded: false,
            });
        }
        Err(error) => error.into_bytes(),
    };
    if language == Language::Rust {
        return Err(refused("the file is not UTF-8, which Rust demands"));
    }
    let Some(label) = cookie(&bytes) else {
        return Err(refused(
            "the file is not UTF-8 and its first two lines name no encoding (PEP 263)",
        ));
    };
    let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes()) else {
        return Err(refused(&format!("the encoding `{label}` is not known")));
    };
    let (text, _, failed) = encoding.decode(&bytes);
    if failed {
        return Err(refused(&format!(
            "the file is not {label}, as its first lines say"
        )));
    }
    Ok(Decoded {
        text: text.into_owned(),
        decoded: true,
    })
}

/// The encoding that a Python file names in a comment of its first two lines: <https://peps.python.org/pep-0263/>.
fn cookie(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|byte| *byte == b'\n').take(2) {
        let line = String::from_utf8_lossy(line);
        let Some(comment) = line
            .trim_start_matches([' ', '\t', '\u{c}'])
            .strip_prefix('#')
        else {
            continue;
        };
        let Some(after) = comment
            .find("coding")
            .map(|at| &comment[at + "coding".len()..])
        else {
            continue;
        };
        let Some(name) = after.strip_prefix([':', '=']) else {
            continue;
        };
        let name: String = name
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || "-_.".contains(*c))
            .collect();
        // Python's name for what the standard calls ISO-8859-1.
        let name = name.to_lowercase().replace('_', "-");
        return Some(if name == "latin-1" || name == "latin-1-unix" {
            "iso-8859-1".to_owned()
        } else {
            name
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{cookie, decode};
    use nostall_model::Language;

    #[test]
    fn python_names_its_encoding_in_the_first_two_lines() {
        assert_eq!(
            cookie(b"# -*- coding: latin-1 -*-\n").as_deref(),
            Some("iso-8859-1")
        );
        assert_eq!(
            cookie(b"#!/usr/bin/python\n# vim: set fileencoding=utf-8 :\n").as_deref(),
            Some("utf-8")
        );
        assert_eq!(cookie(b"x = 1\n\n# coding: utf-8\n"), None);
    }

    #[test]
    fn latin_1_is_decoded_for_python_only() {
        let bytes = b"# coding: latin-1\nname = '\xe9'\n".to_vec();
        let decoded = decode(bytes.clone(), Language::Python)
            .ok()
            .expect("it says what it is");
        assert!(decoded.decoded && decoded.text.contains('é'));
        assert!(decode(bytes, Language::Rust).is_err());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [b"a\0b".to_vec(), b"\xff\xfea\0".to_vec(), b"\xe9".to_vec()] {
            assert!(decode(bytes, Language::Python).is_err());
        }
    }
}
