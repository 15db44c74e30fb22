//! What is written here, read by the client.

use polystack_stream::dialect::{Counts, Dialect as Read, Stop};

use super::{Dialect, Figures, Words};

const FIGURES: Figures = Figures {
    number: 3,
    prompt_tokens: 5,
    output_tokens: 4,
    first_ns: 50,
    decode_ns: 30,
};
const ALL: [(Dialect, Read); 5] = [
    (Dialect::Completions, Read::OpenAiCompletions),
    (Dialect::Chat, Read::OpenAiChat),
    (Dialect::OllamaGenerate, Read::OllamaGenerate),
    (Dialect::OllamaChat, Read::OllamaChat),
    (Dialect::Llama, Read::LlamaCompletion),
];

/// All meanings in `bytes`, as the client reads them.
fn read(
    dialect: Read,
    bytes: &[u8],
    counts: &mut Counts,
) -> Vec<polystack_stream::dialect::Meaning> {
    let mut found = Vec::new();
    let mut parser = dialect.framing().parser(1 << 20);
    parser
        .push(bytes, &mut |payload| {
            found.push(dialect.read(payload, counts).unwrap());
        })
        .unwrap();
    found
}

#[test]
fn the_client_understands_every_dialect() {
    for (written, read_as) in ALL {
        let mut counts = Counts::default();
        let mut bytes = written.role(3).unwrap_or_default();
        written.write_event(Words::InTurn, 3, 0, 1, &mut bytes);
        written.write_event(Words::InTurn, 3, 1, 3, &mut bytes);
        bytes.extend(written.ending(&FIGURES, true, true));
        let meanings = read(read_as, &bytes, &mut counts);
        let texts: Vec<&str> = meanings
            .iter()
            .filter(|meaning| meaning.has_content())
            .map(|meaning| meaning.text.as_str())
            .collect();
        assert_eq!(texts, [" river", " stone light field"], "{written:?}");
        assert_eq!(
            counts,
            Counts {
                prompt: Some(5),
                output: Some(4)
            },
            "{written:?}"
        );
        assert!(
            meanings.iter().any(|meaning| meaning.stop == Stop::Length),
            "{written:?}"
        );
        assert!(meanings.last().unwrap().is_end, "{written:?}");
    }
}

#[test]
fn numbered_words_say_whose_token_each_is() {
    let mut bytes = Vec::new();
    Dialect::Completions.write_event(Words::Numbered, 17, 3, 2, &mut bytes);
    let meanings = read(Read::OpenAiCompletions, &bytes, &mut Counts::default());
    assert_eq!(meanings[0].text, " 17.3 17.4");
}

#[test]
fn an_error_is_understood_as_one() {
    for (written, read_as) in ALL {
        let meanings = read(read_as, &written.error_event(), &mut Counts::default());
        assert!(
            meanings[0].error.as_ref().unwrap().contains("memory"),
            "{written:?}"
        );
    }
}

#[test]
fn without_its_mark_no_end_is_seen() {
    for (written, read_as) in ALL {
        let bytes = written.ending(&FIGURES, false, false);
        assert!(
            read(read_as, &bytes, &mut Counts::default()).is_empty(),
            "{written:?}"
        );
    }
}
