//! Reads names that hold more than letters, and names of bodies in many languages.

use super::read;
use crate::party::{Label, Party, is_desk};

#[test]
fn trade_names_with_digits_and_signs_are_organizations() {
    for name in [
        "B2 Garagen",
        "Halle 7",
        "12 Monos Teatro",
        "2nd Wind Sailing",
        "Shop4You",
        "Bäckerei24",
        "Weber + Söhne",
        "Auto/Moto Verdi",
        "Schmidt/Weber",
        "Osteria \"Al Ponte\"",
        "Wahoo! Riders",
        "Wahoo!",
        "Nordlicht (Kiel)",
    ] {
        assert_eq!(read(name, Label::Name), format!("organization {name}"));
    }
    // A street, a user, a code and a call are none.
    for text in [
        "12 Elm Street",
        "Lindenweg 9",
        "PO Box 12",
        "mkranz75",
        "mkranz1975",
        "AB-12 / CD-34",
        "Look here!",
    ] {
        assert_eq!(read(text, Label::Name), "nobody", "{text}");
    }
}

#[test]
fn a_remark_is_taken_off_the_name_of_a_person() {
    for (text, name) in [
        ("Anna Nowak (Firma Handlowa)", "Anna Nowak"),
        ("Mr. Paul Roe (Director)", "Mr. Paul Roe"),
        ("Roe, Paul (sales)", "Paul Roe"),
        ("王芳 (Wang Fang)", "王芳"),
        ("李娜（个人）", "李娜"),
        ("Anna (Ania) Nowak", "Anna Nowak"),
        ("Anna \"Ania\" Nowak", "Anna Nowak"),
        ("Paul Roe d/b/a Roe Prints", "Paul Roe"),
        ("Paul Roe, DBA Roe Prints", "Paul Roe"),
        ("Roe, Paul dba Roe Prints", "Paul Roe"),
        ("Paul Roe t/a Roe Prints", "Paul Roe"),
        ("Paul Roe trading as Roe Prints", "Paul Roe"),
        ("Paul Roe c/o Anna Nowak", "Paul Roe"),
        ("c/o Anna Nowak", "Anna Nowak"),
        ("Attn: Anna Nowak", "Anna Nowak"),
        ("ATTN Anna Nowak", "Anna Nowak"),
        ("Anna Nowak/Paul Roe", "Anna Nowak"),
    ] {
        for label in [Label::Name, Label::None] {
            assert_eq!(read(text, label), format!("person {name}"), "{text} {label:?}");
        }
    }
    let both: Vec<String> = Party::each("Anna Nowak/Paul Roe", Label::Name)
        .into_iter()
        .map(Party::into_text)
        .collect();
    assert_eq!(both, ["Anna Nowak", "Paul Roe"]);
    for text in [
        "ATTN EXAMPLE.COM",
        "care of Proxy Solutions",
        "c/o Nameholder",
        "Attn: Legal",
    ] {
        for label in [Label::Name, Label::Organization, Label::None] {
            assert_eq!(read(text, label), "nobody", "{text} {label:?}");
        }
    }
    assert_eq!(read("Serge Aka", Label::Name), "person Serge Aka");
    assert_eq!(
        read("Paul Roe d/b/a Roe Prints", Label::Organization),
        "organization Paul Roe d/b/a Roe Prints"
    );
}

#[test]
fn letters_of_every_script_make_names() {
    for name in [
        "শ্রেয়া মিত্র",
        "สมศักดิ์ ใจดี",
        "विक्रम सिंह",
        "علی‌رضا محمدی",
        "مُحَمَّد أمين",
        "דנה לוי",
        "Ιωάννα Δήμου",
    ] {
        assert_eq!(read(name, Label::Name), format!("person {name}"));
    }
    for name in [
        "บริษัท ตัวอย่าง จำกัด",
        "ห้างหุ้นส่วนจำกัด ตัวอย่าง",
        "דוגמה סחר בע\"מ",
        "דוגמה סחר בע״מ",
        "דוגמה סחר בע'מ",
        "شركة المثال المحدودة",
        "مؤسسة المثال",
        "شرکت مثال",
        "उदाहरण प्राइवेट लिमिटेड",
    ] {
        for label in [Label::Name, Label::Organization, Label::None] {
            assert_eq!(read(name, label), format!("organization {name}"), "{label:?}");
        }
    }
}

#[test]
fn bodies_are_organizations_in_many_languages() {
    for name in [
        "Town of Riverside",
        "Second Methodist Church",
        "Grace Community Church",
        "Riverside Fire Department",
        "Riverside High School",
        "Lakeside Historical Society",
        "Chamber of Commerce Riverside",
        "Stadt Bremen",
        "Gemeinde Neudorf",
        "Finanzamt Neudorf",
        "Grundschule Neudorf",
        "Krankenhaus Süd",
        "Freiwillige Feuerwehr Neudorf",
        "Amtsgericht Neudorf",
        "Handwerkskammer Neudorf Stiftung",
        "Comune di Pisa",
        "Ospedale San Marco",
        "Parrocchia San Marco",
        "Mairie de Nantes",
        "Ville de Nantes",
        "Lycée Jules Verne",
        "Sapeurs Pompiers de Nantes",
        "Ayuntamiento de Burgos",
        "Bomberos de Burgos",
        "Prefeitura de Campinas",
        "Câmara Municipal de Braga",
        "Gemeente Utrecht",
        "Rechtbank Utrecht",
        "Urząd Miasta Gdynia",
        "Szkoła Podstawowa Gdynia",
        "Parafia Świętej Anny",
        "Obec Lhota",
        "Základní škola Lhota",
        "Önkormányzat Szeged",
        "Primăria Cluj",
        "Lunds kommun",
        "Bergen kommune",
        "Turun kaupunki",
        "Tartu Ülikool",
        "Bursa Belediyesi",
        "Yayasan Contoh",
        "Δήμος Πάτρας",
        "Администрация Тулы",
        "Школа Пример",
        "Министерство Примеров",
        "Міська рада Львів",
        "جامعة المثال",
        "دانشگاه نمونه",
        "עיריית דוגמה",
        "中华人民共和国教育部",
        "大阪府",
        "清華大學",
        "서울시청",
        "โรงเรียนตัวอย่าง",
    ] {
        for label in [Label::Name, Label::None] {
            assert_eq!(read(name, label), format!("organization {name}"), "{label:?}");
        }
    }
    for name in [
        "Charlotte Church",
        "Margaret Court",
        "Helder Câmara",
        "Lauryn Hill",
        "Kunta Kinte",
        "Jane Parish",
        "Christian Stadler",
        "服部健",
        "田中一郎",
        "マイケル・スミス",
        "ヤマダタロウ",
    ] {
        assert_eq!(read(name, Label::Name), format!("person {name}"));
    }
}

#[test]
fn forms_that_stand_first_and_forms_of_sole_traders_make_organizations() {
    for name in [
        "V.O.F. De Boer",
        "Α.Ε. Δοκιμή",
        "ООД Проба",
        "ЕООД Проба",
        "Prøve ENK",
        "P.H.U. Kowal",
        "F.H.U. Kowal",
        "Spółka Cywilna Anna Nowak",
        "Näyte ry",
        "Muster e.U.",
        "ФГУП Проба",
    ] {
        for label in [Label::Name, Label::None] {
            assert_eq!(read(name, label), format!("organization {name}"), "{label:?}");
        }
    }
}

#[test]
fn desks_of_many_languages_are_nobody() {
    for text in [
        "Отдел поддержки",
        "Системный администратор",
        "Служба безопасности",
        "网络管理员",
        "系統管理員",
        "技术部负责人",
        "サーバー管理者",
        "ネットワーク担当",
        "도메인 담당자",
        "시스템관리자",
        "Dział Informatyki",
        "Responsabile Informatico",
        "Service Informatique",
        "Geschäftsführung",
        "Sekretariat",
        "Odbor IT",
        "Rendszergazda",
        "Sistem Yöneticisi",
        "Afdeling ICT",
        "Accounts Payable",
        "none none",
        "Unknown Unknown",
        "N/A N/A",
        "not available not available",
    ] {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            assert_eq!(read(text, label), "nobody", "{text} {label:?}");
        }
    }
    assert!(is_desk("系统管理员") && !is_desk("王管理"));
    assert_eq!(read("Na Na", Label::Name), "person Na Na");
}
