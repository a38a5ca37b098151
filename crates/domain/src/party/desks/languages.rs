//! Lists words of desks in many languages, and those that stand beside them; a space stands between two. They are of November
//! 2026.

/// Words, most of other languages, that make a name a desk's where all of it is known. Some are surnames, too.
pub(super) const OF_OTHER_LANGUAGES: &[&str] = &[
    "abteilung administracao administracion administracja administrador administradores administratie",
    "administrator administratorius administrators afdeling afdelning ansprechpartner atendimento avdeling",
    "avdelning ayuda beheer beheerder bilgi boekhouding brukerstotte buchhaltung contabilidad contabilidade",
    "contabilita contacto contato contatto coordenacao coordinacion departamento destek direccion directie",
    "direction direktion direzione dzial dzialu equipe equipo gerencia geschaeftsfuehrung geschaeftsleitung",
    "geschaftsfuhrer geschaftsfuhrung geschaftsleitung gestao gestion incidentes infraestructura",
    "infraestrutura ingenieria klantenservice kontakt kundeservice kundtjanst odbor oddeleni oddelenie odjel",
    "operaciones operacoes osasto osztaly personalabteilung podpora podrska redes rendszergazda reseaux",
    "responsabile responsable responsavel secretaria secretariat segreteria seguranca seguridad sekretariat",
    "skrbnik soporte spravca spravce suporte supporto sysadm systemadministrator systemverwalter team technik",
    "technique technisch technische technischer tecnico tratamento tugi tuki ufficio ugyfelszolgalat vedeni",
    "wsparcie yllapito yonetici yoneticisi yonetimi διαχειριστής διαχειριστης τμήμα τμημα υποστήριξη",
    "υποστηριξη администратор администратори администрирование администрирования відділ дежурный департамент",
    "отдел отделение поддержка поддержки поддръжка підтримка служба техподдержка техподдержки מחלקת מנהל",
    "תמיכה الدعم المسؤول قسم مدير مدیر پشتیبانی",
];

/// Words that stand beside them.
pub(super) const BESIDE: &[&str] = &[
    "24x7 account accounts address administrateur administratif administration administrativ administrative",
    "administrativer administrativo and aplikacji billing brand c center centre centro clientes clienti",
    "clients comercial commercial commerciale coordinator copyright corporate customer customers d da das",
    "data de del dell des desk di division do domain domaine domaines domeinen domeinnaam domeinnamen domen",
    "domena domeny dominio dominios dos du e edv email en engineering engineers financiera for general",
    "generala generale global group grupo handle handler help host hosting hotline ict il incident info",
    "informacao informacion informatica informatiche informatici informatico information informatique",
    "informatyczny informatyki intellectual internet ip ipv4 ipv6 islem isp it klantov klienta klientow",
    "kunden kundendienst la le legal mail mailbox management manager managers master mesa mr mrs ms name",
    "names natverk nettverk netwerk network networks netz netzwerk netzwerke object of office online",
    "operation operator operators owner payable person point policy primary property receivable red rede",
    "registrant registration registrations report reporting reports reseau resource resources responsabile",
    "responsable response resposta respuesta safety security server servers service services servicio servico",
    "servizio sicherheit siec sieci sistem sistemas sites siti sito soc staff system systeme systemow systems",
    "systemy tech technical technician technicka technicky techniczna techniczne technicznej techniczny",
    "tecnologia teknik tekninen teknisk the ti trademark trademarks trust unit user verwaltung web zentrale",
    "zone πληροφορικής πληροφορικης τεχνικής τεχνικης υποστήριξης υποστηριξης безопасности веб домен домена",
    "доменный доменов информационных ит клиентов сайта сетевой сетей сети системного системный техническая",
    "технический технической технологий технічної інформаційних האתר שם שרת التقني الفني المعلومات الموقع",
    "النظام تقنية سایت شبکه فنی",
];

/// Tells whether a list holds a word.
pub(super) fn holds(list: &[&str], word: &str) -> bool {
    list.iter().any(|line| line.split(' ').any(|known| known == word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    #[test]
    fn words_of_desks_are_written_as_they_are_compared() {
        for line in OF_OTHER_LANGUAGES.iter().chain(BESIDE) {
            assert_eq!(words(line).join(" "), *line);
        }
    }
}
