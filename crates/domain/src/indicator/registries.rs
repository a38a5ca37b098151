//! Holds the zones of private registries: below them people register names, as they do below a top-level domain.
//!
//! The private section of the Public Suffix List holds registries, dynamic DNS services and hosting alike, and does not
//! tell them apart. This list was written for this project in November 2026, from the operators that the section names
//! (<https://publicsuffix.org/list/>) and what is publicly known of these. What it lacks counts as hosting, unless it stands
//! on a list of dynamic DNS services.

/// Zones of CentralNic (Team Internet), and of those that took some over or sell names beside it: Africa.com, co.com
/// Registry, iDOT (gr.com), Radix (in.net, web.in), US Registry (us.org).
const CENTRALNIC: &str = "
    ae.org africa.com br.com cn.com co.com com.de com.se de.com eu.com gb.net gr.com hu.net in.net jp.net
    jpn.com mex.com ru.com sa.com se.net uk.com uk.net us.com us.org web.in za.bz za.com";

/// Zones of Russia's registries: FAITID, MSK-IX, Rusnames, and those of institutions.
const RUSSIA: &str = "
    abkhazia.su ac.ru adygeya.ru adygeya.su aktyubinsk.su arkhangelsk.su armenia.su ashgabad.su
    azerbaijan.su balashov.su bashkiria.ru bashkiria.su bir.ru bryansk.su bukhara.su cbg.ru chimkent.su
    com.ru dagestan.ru dagestan.su east-kazakhstan.su edu.ru exnet.su georgia.su gov.ru grozny.ru grozny.su
    int.ru ivanovo.su jambyl.su kalmykia.ru kalmykia.su kaluga.su karacol.su karaganda.su karelia.su
    khakassia.su krasnodar.su kurgan.su kustanai.ru kustanai.su lenug.su mangyshlak.su marine.ru mil.ru
    mordovia.ru mordovia.su msk.ru msk.su murmansk.su mytis.ru nalchik.ru nalchik.su navoi.su net.ru
    north-kazakhstan.su nov.ru nov.su obninsk.su org.ru penza.su pokrovsk.su pp.ru pyatigorsk.ru ru.net
    sochi.su spb.ru spb.su tashkent.su termez.su togliatti.su troitsk.su tselinograd.su tula.su tuva.su
    vladikavkaz.ru vladikavkaz.su vladimir.ru vladimir.su vologda.su биз.рус ком.рус крым.рус мир.рус
    мск.рус орг.рус самара.рус сочи.рус спб.рус я.рус";

/// Zones of registries in Ukraine: 1GB, Cityhost, Service Online, V.UA.
const UKRAINE: &str = "
    biz.ua cc.ua co.ua cx.ua inf.ua ltd.ua pp.ua v.ua";

/// Regional zones in Poland: NASK, TASK, LubMAN, and co.pl.
const POLAND: &str = "
    art.pl co.pl gda.pl gdansk.pl gdynia.pl gliwice.pl krakow.pl krasnik.pl leczna.pl lubartow.pl lublin.pl
    med.pl poniatowa.pl poznan.pl sopot.pl swidnik.pl wroc.pl zakopane.pl";

/// Zones of further registries, among them BRS Media, CoDNS, Dansk.net, DigitalPlat, EU.org, HOSTBIP, i-registry, Intis
/// (it.com), nic.at (priv.at), UDR, ZaNiC, and of governments.
const OTHERS: &str = "
    aus.basketball biz.dk biz.wf campaign.gov.uk co.ca co.cz co.dk co.krd co.nl co.no col.ng dpdns.org
    edu.krd eu.org firm.dk firm.ng gen.ng gov.nl gov.scot hk.com hk.org inc.hk it.com jozi.biz ltd.hk ltd.ng
    name.pm ngo.ng nz.basketball org.yt orx.biz priv.at qzz.io radio.am radio.fm reg.dk sch.tf sch.wf
    service.gov.uk store.dk us.kg xx.kg za.net za.org";

/// Walks the zones.
pub fn registries() -> impl Iterator<Item = &'static str> {
    [CENTRALNIC, RUSSIA, UKRAINE, POLAND, OTHERS]
        .into_iter()
        .flat_map(str::split_whitespace)
}

/// Tells whether a suffix of the private section is a registry's: it is such a zone, or stands below one. Non-Latin
/// zones are compared as the suffix list writes them.
pub(super) fn is_registry(suffix: &str) -> bool {
    registries().any(|zone| {
        suffix
            .strip_suffix(zone)
            .is_some_and(|below| below.is_empty() || below.ends_with('.'))
    })
}
