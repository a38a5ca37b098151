//! Finds the heads of messages that a text forwards or quotes: who sent them is then asked about.
//!
//! A head is told by its structure, in the words of several languages: lines of a word, a colon and a value, one of which
//! names a sender's address and two at least others of a message's headers. Programs for mail write them so, whatever line
//! they put above. The time is linear in the text; each line is read up to a bound.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::headers::plain_line;
use super::mime::{Envelope, Mail, Remarks};
use super::senders::{Address, Mailbox, address};

/// How many heads of a message are read.
pub(super) const MAX_HEADS: usize = 50;
/// How many characters of a line are read.
const MAX_LINE: usize = 2_000;
/// The longest word before a colon, in octets.
const MAX_WORD: usize = 60;
/// What stands behind the word of a header.
const COLONS: [char; 2] = [':', '\u{ff1a}'];
/// How many addresses are read of a head.
const MAX_ADDRESSES: usize = 10;
/// How many lines of no header may stand between headers: of long lists of recipients, and of programs that fold.
const MAX_GAP: usize = 4;
/// How many empty lines may stand between headers.
const MAX_EMPTY: usize = 1;

/// Says what a line of a head is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    From,
    ReplyTo,
    Date,
    To,
    Copy,
    Subject,
    Other,
}

/// The words of English, German, French, Spanish, Italian, Dutch, Portuguese, Scandinavian languages, Finnish, Polish,
/// Czech, Hungarian, Turkish, Russian, Chinese, Japanese and Korean.
static WORDS: [(Kind, &[&str]); 7] = [
    (
        Kind::From,
        &[
            "from",
            "von",
            "de",
            "expéditeur",
            "remitente",
            "da",
            "mittente",
            "van",
            "afzender",
            "absender",
            "från",
            "fra",
            "lähettäjä",
            "od",
            "feladó",
            "kimden",
            "gönderen",
            "от",
            "от кого",
            "发件人",
            "寄件者",
            "寄件人",
            "差出人",
            "送信元",
            "보낸 사람",
            "보낸사람",
        ],
    ),
    (
        Kind::ReplyTo,
        &[
            "reply-to",
            "reply to",
            "antwort an",
            "répondre à",
            "responder a",
            "rispondi a",
            "antwoord aan",
            "svar till",
            "svar til",
            "odpowiedz do",
            "ответить",
            "返信先",
            "回复",
        ],
    ),
    (
        Kind::Date,
        &[
            "sent",
            "date",
            "sent on",
            "gesendet",
            "gesendet am",
            "datum",
            "envoyé",
            "envoyé le",
            "enviado",
            "enviado el",
            "enviada em",
            "enviado em",
            "fecha",
            "inviato",
            "data",
            "verzonden",
            "skickat",
            "sendt",
            "dato",
            "lähetetty",
            "päivämäärä",
            "wysłano",
            "wysłane",
            "odesláno",
            "elküldve",
            "dátum",
            "gönderildi",
            "gönderme tarihi",
            "tarih",
            "отправлено",
            "дата",
            "发送时间",
            "日期",
            "時間",
            "寄件日期",
            "送信日時",
            "日時",
            "日付",
            "보낸 날짜",
            "날짜",
        ],
    ),
    (
        Kind::To,
        &[
            "to",
            "an",
            "à",
            "a",
            "para",
            "destinataire",
            "destinatario",
            "aan",
            "till",
            "til",
            "vastaanottaja",
            "do",
            "komu",
            "címzett",
            "kime",
            "кому",
            "收件人",
            "收件者",
            "宛先",
            "받는 사람",
            "받는사람",
        ],
    ),
    (
        Kind::Copy,
        &[
            "cc",
            "bcc",
            "kopie",
            "copie",
            "copia",
            "cópia",
            "kopia",
            "kopi",
            "dw",
            "копия",
            "抄送",
            "副本",
            "참조",
        ],
    ),
    (
        Kind::Subject,
        &[
            "subject",
            "betreff",
            "objet",
            "sujet",
            "asunto",
            "oggetto",
            "onderwerp",
            "assunto",
            "ämne",
            "emne",
            "aihe",
            "temat",
            "předmět",
            "tárgy",
            "konu",
            "тема",
            "主题",
            "主旨",
            "件名",
            "제목",
        ],
    ),
    (
        Kind::Other,
        &[
            "organization",
            "organisation",
            "message-id",
            "importance",
            "priority",
            "priorität",
            "wichtigkeit",
            "attachments",
            "anlagen",
            "anhänge",
            "pièces jointes",
            "datos adjuntos",
            "allegati",
            "bijlagen",
            "x-mailer",
            "return-path",
            "list-id",
        ],
    ),
];

/// Says what a word means.
static KINDS: LazyLock<HashMap<&str, Kind>> = LazyLock::new(|| {
    let of = |(kind, words): &(Kind, &'static [&'static str])| {
        let (kind, words) = (*kind, *words);
        words.iter().map(move |word| (*word, kind))
    };
    WORDS.iter().flat_map(of).collect()
});

impl Mail {
    /// Reads the heads in a text of the message.
    pub(super) fn heads(&mut self, text: &str, remarks: &mut Remarks) {
        let mut reader = Reader {
            mail: self,
            remarks,
            head: Head::default(),
        };
        for line in text.split('\n') {
            // Of a text without line feeds, carriage returns end lines.
            for line in line.trim_end_matches('\r').split('\r') {
                reader.line(line);
            }
        }
        reader.end();
    }
}

/// Is what was read of a head.
#[derive(Default)]
struct Head {
    kinds: Vec<Kind>,
    from: Vec<String>,
    reply_to: Vec<String>,
    /// The lines since the last header.
    gap: usize,
    empty: usize,
}

struct Reader<'m> {
    mail: &'m mut Mail,
    remarks: &'m mut Remarks,
    head: Head,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        if self.head.kinds.is_empty() && !line.contains(COLONS) {
            return;
        }
        let line = plain_line(line, MAX_LINE);
        if line.is_empty() {
            self.head.empty += 1;
            if self.head.empty > MAX_EMPTY {
                self.end();
            }
            return;
        }
        match header(&line) {
            Some((kind, value)) => {
                self.head.gap = 0;
                if kind != Kind::Other {
                    // Each stands once in a head, so that another begins one.
                    if self.head.kinds.contains(&kind) {
                        self.end();
                    }
                    self.head.kinds.push(kind);
                    self.value(kind, value);
                }
            }
            None => self.goes_on(&line),
        }
        self.head.empty = 0;
    }

    /// Reads a line that is no header by itself: it may belong to the one above it.
    fn goes_on(&mut self, line: &str) {
        let Some(kind) = self.head.kinds.last().copied() else {
            return;
        };
        let is_empty = match kind {
            Kind::From => self.head.from.is_empty(),
            Kind::ReplyTo => self.head.reply_to.is_empty(),
            _ => false,
        };
        if is_empty {
            self.value(kind, line);
        }
        let is_list =
            matches!(kind, Kind::To | Kind::Copy) && (line.contains('@') || line.ends_with([',', ';']));
        self.head.gap += usize::from(!is_list);
        if self.head.gap > MAX_GAP {
            self.end();
        }
    }

    fn value(&mut self, kind: Kind, value: &str) {
        match kind {
            Kind::From => self.head.from.extend(addresses(value)),
            Kind::ReplyTo => self.head.reply_to.extend(addresses(value)),
            _ => {}
        }
    }

    /// Ends what was read; takes it where it is a head.
    fn end(&mut self) {
        let head = std::mem::take(&mut self.head);
        if !head.kinds.contains(&Kind::From) || head.kinds.len() < 3 {
            return;
        }
        if head.from.is_empty() && head.reply_to.is_empty() {
            self.remarks.nameless += 1;
            return;
        }
        let mailboxes =
            |addresses: &[String]| -> Vec<Mailbox> { addresses.iter().map(|one| Mailbox::of(one)).collect() };
        let envelope = Envelope {
            from: mailboxes(&head.from),
            from_headers: usize::from(!head.from.is_empty()),
            reply_to: mailboxes(&head.reply_to),
            ..Envelope::default()
        };
        // The same text may come as a page, too.
        let is_same = |known: &Envelope| known.from == envelope.from && known.reply_to == envelope.reply_to;
        if self.mail.quoted.iter().any(is_same) {
            return;
        }
        if self.mail.quoted.len() < MAX_HEADS {
            self.mail.quoted.push(envelope);
        } else {
            self.remarks.too_many_heads = true;
        }
    }
}

/// Reads a line of a head: what it is, and its value.
fn header(line: &str) -> Option<(Kind, &str)> {
    let (word, value) = line.split_once(COLONS)?;
    if word.len() > MAX_WORD {
        return None;
    }
    let marks = |c: char| c.is_whitespace() || matches!(c, '*' | '_');
    let word = word.trim_matches(marks).to_lowercase();
    KINDS
        .get(word.as_str())
        .map(|kind| (*kind, value.trim_matches(marks)))
}

/// Finds the addresses in a value: `Name <a@b.example>`, `Name [mailto:a@b.example]`, `a@b.example on behalf of …`.
fn addresses(value: &str) -> Vec<String> {
    let mut live = value.to_owned();
    for (dead, sign) in [
        ("[at]", "@"),
        ("(at)", "@"),
        ("[@]", "@"),
        ("[.]", "."),
        ("(.)", "."),
        ("[dot]", "."),
    ] {
        live = live.replace(dead, sign);
    }
    let is_cut = |c: char| c.is_whitespace() || "<>()[]\",;:|".contains(c);
    let mut found: Vec<String> = Vec::new();
    for word in live.split(is_cut).filter(|word| word.contains('@')) {
        let word = word.trim_matches(['\'', '*', '`']).trim_end_matches('.');
        let is_known = found.iter().any(|known| known == word);
        if found.len() < MAX_ADDRESSES && !is_known && !matches!(address(word), Address::Unknown) {
            found.push(word.to_owned());
        }
    }
    found
}
