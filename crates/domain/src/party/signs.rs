//! Knows names that are written in signs of Chinese, Japanese or Korean, without spaces between their words.
//!
//! The words were written for this project from public registration data and are of November 2026.

/// The most signs of a name of a person, where no space, dot or kana stands in it.
const MOST_OF_PERSON: usize = 4;
/// The fewest signs of a name that ends as bodies do.
const FEWEST_OF_BODY: usize = 3;

/// Signs that end the names of bodies, and hardly of people.
const ENDS_OF_BODIES: &[char] = &[
    '都', '府', '県', '县', '縣', '市', '省', '部', '局', '厅', '廳', '庁', '院', '署', '校', '社', '会',
    '會', '厂', '廠', '所', '馆', '館', '寺', '団', '团', '團',
];

/// Words that make a name of signs a desk's.
const DESKS: &[&str] = &[
    "管理员",
    "管理員",
    "管理者",
    "管理人",
    "管理",
    "担当者",
    "担当",
    "擔當",
    "负责人",
    "負責人",
    "联系人",
    "聯絡人",
    "客服",
    "客户服务",
    "技术支持",
    "技術支援",
    "运维",
    "維運",
    "窓口",
    "関係者",
    "站长",
    "站長",
    "관리자",
    "관리",
    "담당자",
    "담당",
    "운영자",
];

/// Words that stand beside them.
const BESIDE: &[&str] = &[
    "系统",
    "系統",
    "域名",
    "網域",
    "网域",
    "网络",
    "網路",
    "網絡",
    "网站",
    "網站",
    "技术",
    "技術",
    "部门",
    "部門",
    "部",
    "信息",
    "資訊",
    "情報",
    "服务器",
    "伺服器",
    "数据",
    "中心",
    "邮件",
    "郵件",
    "安全",
    "システム",
    "ドメイン",
    "ネットワーク",
    "サーバー",
    "サーバ",
    "ウェブ",
    "サイト",
    "サポート",
    "センター",
    "メール",
    "登録",
    "運用",
    "도메인",
    "시스템",
    "네트워크",
    "서버",
    "기술",
    "전산",
    "정보",
    "홈페이지",
    "보안",
    "메일",
    "센터",
    "부",
    "팀",
    "실",
];

/// Tells whether a text is written in signs of Chinese, Japanese or Korean alone.
pub(super) fn is_of_signs(text: &str) -> bool {
    text.chars().any(is_sign) && text.chars().all(|letter| is_sign(letter) || letter == ' ')
}

fn is_sign(letter: char) -> bool {
    is_kana(letter)
        || matches!(letter, '\u{3005}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

fn is_kana(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}')
}

/// Tells whether a text of such signs is as long as the name of a person.
pub(super) fn is_persons_of_signs(text: &str) -> bool {
    (2..=MOST_OF_PERSON).contains(&text.chars().filter(|letter| *letter != ' ').count())
}

/// Tells whether a text of such signs is too long for the name of a person: the parts of a long one are set apart, and one
/// in kana says how it is read.
pub(super) fn is_long(text: &str) -> bool {
    is_of_signs(text)
        && !text.contains(' ')
        && !text.chars().any(is_kana)
        && text.chars().count() > MOST_OF_PERSON
}

/// Tells whether a text of such signs ends as the names of bodies do: `東京都`.
pub(super) fn ends_as_body(text: &str) -> bool {
    is_of_signs(text) && text.chars().count() >= FEWEST_OF_BODY && text.ends_with(ENDS_OF_BODIES)
}

/// Tells whether a text of such signs is a desk's, and says nothing else: `系统管理员`.
pub(super) fn is_desk(text: &str) -> bool {
    let text: String = text.chars().filter(|letter| *letter != ' ').collect();
    let mut rest = text.as_str();
    let mut found = false;
    while !rest.is_empty() {
        let longest = |list: &[&str]| -> Option<usize> {
            let fits = list.iter().filter(|word| rest.starts_with(**word));
            fits.map(|word| word.len()).max()
        };
        let (desk, beside) = (longest(DESKS), longest(BESIDE));
        let Some(length) = desk.max(beside) else {
            return false;
        };
        found |= desk == Some(length);
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}
