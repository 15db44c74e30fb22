//! Answers as servers write them, and what can become of them.

use polystack_stream::dialect::Dialect;

/// Numbers that look like chance, the same for a seed and a number (xorshift64*).
pub struct Random(u64);

impl Random {
    /// Those of input `number`.
    pub fn new(seed: u64, number: u64) -> Self {
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_add(1);
        let mut random = Self(mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1);
        random.next();
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % limit
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn is_one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }
}

const TEXTS: [&str; 10] = [
    "a",
    " the",
    "größe",
    "😀",
    "漢字",
    "\\n",
    "\\u00e4",
    "\\ud83d\\ude00",
    "\\\"",
    "",
];
/// What is put into answers besides bytes of chance.
const WORDS: [&[u8]; 44] = [
    b"data: [DONE]\n\n",
    b"data:",
    b"data: ",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"\n",
    b": ping\n\n",
    b"event: error\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\0",
    b"\\ud83d",
    b"null",
    b"true",
    b"-1",
    b"1e400",
    b"99999999999999999999",
    b"4294967295",
    b"2147483648",
    b"0",
    b"{}",
    b"[]",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{\"error\":{\"message\":\"no\"}}\n",
    b"\"error\":\"no\",",
    b"\"error\":null,",
    b"\"text\":\"x\",",
    b"\"content\":null,",
    b"\"stop\":true,",
    b"\"done\":true,",
    b"\"choices\":[{\"text\":\"y\"}],",
    b"\"usage\":{\"completion_tokens\":3},",
    b"\"object\":\"error\",",
    b"0\r\n\r\n",
    b"5\r\n",
    b"ffffffffffffffff\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
];

/// An answer that was good, and no longer is, or is good in an odd way.
pub fn spoilt_answer(random: &mut Random, dialect: Dialect) -> Vec<u8> {
    let mut body = body_of(random, dialect);
    let harm = random.below(4);
    for _ in 0..harm {
        spoil(random, &mut body);
    }
    let mut answer = with_head(random, &body);
    if random.is_one_in(3) {
        spoil(random, &mut answer);
    }
    answer
}

/// `answer` in pieces, cut where chance will have it.
pub fn pieces<'a>(random: &mut Random, answer: &'a [u8]) -> Vec<&'a [u8]> {
    if random.is_one_in(8) {
        return answer.chunks(1).collect();
    }
    let mut cuts: Vec<usize> = (0..random.below(9))
        .map(|_| random.below(answer.len() + 1))
        .collect();
    cuts.extend([0, answer.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &answer[pair[0]..pair[1]])
        .collect()
}

fn body_of(random: &mut Random, dialect: Dialect) -> Vec<u8> {
    let end = random.one_of(&["\n", "\n", "\r\n", "\r"]);
    let chunks = random.below(6);
    let mut events: Vec<String> = (0..chunks).map(|_| token(random, dialect)).collect();
    if !random.is_one_in(6) {
        ending(random, dialect, chunks, &mut events);
    }
    let is_sse = !matches!(dialect, Dialect::OllamaGenerate | Dialect::OllamaChat);
    let mut body = String::new();
    for event in events {
        if random.is_one_in(12) {
            body.push_str(if is_sse { ": ping\n\n" } else { "\n" });
        }
        if is_sse {
            body.push_str(random.one_of(&["data: ", "data: ", "data:", "id: 3\ndata: "]));
            body.push_str(&event);
            body.push_str(end);
            body.push_str(end);
        } else {
            body.push_str(&event);
            body.push_str(if end == "\r" { "\n" } else { end });
        }
    }
    body.into_bytes()
}

fn token(random: &mut Random, dialect: Dialect) -> String {
    let text = random.one_of(&TEXTS);
    let ids = random.one_of(&["", "", ",\"token_ids\":[5]", ",\"token_ids\":[5,6]"]);
    match dialect {
        Dialect::OpenAiCompletions => {
            let usage = random.one_of(&["", "", ",\"usage\":{\"completion_tokens\":2}"]);
            format!("{{\"id\":\"c\",\"choices\":[{{\"text\":\"{text}\"{ids}}}]{usage}}}")
        }
        Dialect::OpenAiChat => {
            let name = random.one_of(&["content", "content", "reasoning", "role"]);
            format!("{{\"choices\":[{{\"delta\":{{\"{name}\":\"{text}\"}}{ids}}}]}}")
        }
        Dialect::OllamaGenerate => {
            let name = random.one_of(&["response", "response", "thinking"]);
            format!("{{\"{name}\":\"{text}\",\"done\":false}}")
        }
        Dialect::OllamaChat => {
            format!("{{\"message\":{{\"content\":\"{text}\"}},\"done\":false}}")
        }
        Dialect::LlamaCompletion => {
            let counted = random.below(5);
            let more = random.one_of(&["", ",\"tokens\":[7]"]);
            let running = if counted == 0 {
                String::new()
            } else {
                format!(",\"tokens_predicted\":{counted}")
            };
            format!("{{\"content\":\"{text}\",\"stop\":false{more}{running}}}")
        }
    }
}

fn ending(random: &mut Random, dialect: Dialect, chunks: usize, events: &mut Vec<String>) {
    let count = if random.is_one_in(5) {
        random.below(9)
    } else {
        chunks
    };
    match dialect {
        Dialect::OpenAiCompletions | Dialect::OpenAiChat => {
            let reason = random.one_of(&["\"length\"", "\"stop\"", "\"tool\"", "null"]);
            events.push(format!("{{\"choices\":[{{\"finish_reason\":{reason}}}]}}"));
            events.push(format!(
                "{{\"choices\":[],\"usage\":{{\"prompt_tokens\":7,\"completion_tokens\":{count}}}}}"
            ));
            events.push("[DONE]".to_owned());
        }
        Dialect::OllamaGenerate | Dialect::OllamaChat => {
            let reason = random.one_of(&["length", "stop", "load"]);
            events.push(format!(
                "{{\"done\":true,\"done_reason\":\"{reason}\",\"eval_count\":{count}}}"
            ));
        }
        Dialect::LlamaCompletion => {
            let kind = random.one_of(&["limit", "eos", "word"]);
            events.push(format!(
                "{{\"content\":\"\",\"stop\":true,\"stop_type\":\"{kind}\",\
                 \"tokens_predicted\":{count},\"timings\":{{\"prompt_n\":7}}}}"
            ));
        }
    }
}

fn with_head(random: &mut Random, body: &[u8]) -> Vec<u8> {
    let status = random.one_of(&["200 OK", "200 OK", "200 OK", "200 OK", "429 No", "307 Gone"]);
    let version = random.one_of(&["1.1", "1.1", "1.0"]);
    let mut answer = format!("HTTP/{version} {status}\r\n").into_bytes();
    if random.is_one_in(10) {
        answer.extend(b"Retry-After: 17\r\nLocation: /x\r\n");
    }
    match random.below(3) {
        0 => {
            answer.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
            answer.extend(body);
        }
        1 => {
            answer.extend(b"\r\n");
            answer.extend(body);
        }
        _ => {
            answer.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            let size = 1 + random.below(90);
            let extension = random.one_of(&["", "", ";x=y"]);
            for chunk in body.chunks(size) {
                answer.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
                answer.extend(chunk);
                answer.extend(b"\r\n");
            }
            answer.extend(
                random
                    .one_of(&["0\r\n\r\n", "0\r\nx: y\r\n\r\n", ""])
                    .bytes(),
            );
        }
    }
    answer
}

/// One harm.
fn spoil(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let length = random.below(20).min(bytes.len() - at);
    match random.below(7) {
        0 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).unwrap_or(0),
        1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        2 => {
            bytes.drain(at..at + length);
        }
        3 => {
            let twice = bytes[at..at + length].to_vec();
            bytes.splice(at..at, twice);
        }
        4 if random.is_one_in(4) => bytes.truncate(at),
        5 if random.is_one_in(8) => {
            let many = random
                .one_of(&["[", "x", "{\"x\":", "\r\n", "é"])
                .repeat(random.below(3000));
            bytes.splice(at..at, many.into_bytes());
        }
        _ => {
            let word = WORDS[random.below(WORDS.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
}
