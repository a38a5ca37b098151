//! Holds the built-in lists. They were written for this project, are small, and are of November 2026.
//!
//! Names and addresses set aside for documentation (RFC 2606, 5737, 3849 and 9637) stand on none of them, nor does
//! `.test`: with these one tries things out.

use super::super::{links, special};
use super::{BUILT_IN, Lists, Purpose, dynamic_dns};

/// Names that lead to no host on the internet: those of networks at home (RFC 8375, RFC 6762), of none (RFC 6761), and
/// `internal`, set aside by ICANN in 2024. The networks stand in [`special`].
const RESERVED: &str = "home.arpa internal invalid local localhost";

/// MD5, SHA-1, SHA-256 and SHA-512 of no byte at all.
const EMPTY_FILE: &str = "
    d41d8cd98f00b204e9800998ecf8427e
    da39a3ee5e6b4b0d3255bfef95601890afd80709
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
    47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

const POPULAR: &str = "
    adobe.com aliexpress.com amazon.com apple.com baidu.com bbc.co.uk bing.com booking.com
    cloudflare.com duckduckgo.com ebay.com facebook.com github.com google.com gstatic.com icloud.com
    imdb.com instagram.com linkedin.com live.com microsoft.com microsoftonline.com mozilla.org msn.com
    netflix.com nytimes.com office.com office365.com openai.com oracle.com paypal.com reddit.com
    salesforce.com samsung.com spotify.com stackoverflow.com tiktok.com twitter.com whatsapp.com
    wikimedia.org wikipedia.org windows.com windowsupdate.com x.com yahoo.com youtube.com zoom.us";

const CDN: &str = "
    akamai.net akamaiedge.net akamaihd.net akamaized.net azureedge.net azurefd.net b-cdn.net
    cdn.cloudflare.net cdn77.org cloudfront.net edgekey.net edgesuite.net fastly.net fastlylb.net
    kxcdn.com llnwd.net";

const CLOUD: &str = "
    amazonaws.com appspot.com azurewebsites.net cloudapp.azure.com cloudapp.net cloudfunctions.net
    core.windows.net digitaloceanspaces.com googleusercontent.com herokuapp.com linodeusercontent.com
    ondigitalocean.app oraclecloud.com run.app vultrusercontent.com";

const RESOLVER: &str = "
    1.0.0.1 1.0.0.2 1.0.0.3 1.1.1.1 1.1.1.2 1.1.1.3 4.2.2.1 4.2.2.2 8.8.4.4 8.8.8.8 9.9.9.9 9.9.9.10
    9.9.9.11 64.6.64.6 64.6.65.6 77.88.8.1 77.88.8.8 94.140.14.14 94.140.15.15 114.114.114.114
    119.29.29.29 149.112.112.112 208.67.220.220 208.67.222.222 223.5.5.5 223.6.6.6 2001:4860:4860::8844
    2001:4860:4860::8888 2606:4700:4700::1001 2606:4700:4700::1111 2620:119:35::35 2620:119:53::53
    2620:fe::9 2620:fe::fe cloudflare-dns.com dns.google dns.quad9.net doh.opendns.com one.one.one.one";

const FREE_MAIL: &str = "
    126.com 163.com aol.com bk.ru comcast.net daum.net fastmail.com free.fr freenet.de gmail.com gmx.at
    gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hotmail.co.uk hotmail.com hotmail.de
    hotmail.fr hotmail.it hushmail.com icloud.com inbox.lv inbox.ru laposte.net libero.it list.ru
    live.com mac.com mail.com mail.ru mailfence.com me.com msn.com naver.com orange.fr outlook.com
    outlook.de outlook.fr proton.me protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
    seznam.cz sina.com t-online.de tuta.com tutanota.com ukr.net uol.com.br web.de wp.pl yahoo.co.jp
    yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru yeah.net ymail.com zoho.com";

const SECURITY_VENDOR: &str = "
    abuse.ch abuseipdb.com bitdefender.com crowdstrike.com domaintools.com eset.com fortinet.com
    greynoise.io kaspersky.com malwarebytes.com mcafee.com paloaltonetworks.com proofpoint.com
    sophos.com spamhaus.org symantec.com trendmicro.com urlscan.io virustotal.com";

/// What the suffix list does not know, or may not: hosts whose very name serves what customers put there, too - files, forms,
/// pages, code. One name a line.
const SHARED_HOSTING: &str = "
    1drv.ms
    acrobat.adobe.com
    airtable.com
    app.powerbi.com
    archive.org
    bitbucket.org
    book.ms
    bookings.cloud.microsoft
    bookings.office.com
    box.com
    canva.com
    canva.site
    cdn.discordapp.com
    chat.whatsapp.com
    cloudflare-ipfs.com
    codepen.io
    colab.research.google.com
    customervoice.microsoft.com
    datastudio.google.com
    docs.google.com
    docs.zoom.us
    docsend.com
    documentcloud.adobe.com
    documents.adobe.com
    drive.google.com
    drive.proton.me
    dropbox.com
    dropboxusercontent.com
    dweb.link
    evernote.com
    express.adobe.com
    figma.com
    file.io
    firebasestorage.googleapis.com
    forms.cloud.microsoft
    forms.google.com
    forms.microsoft.com
    forms.office.com
    forms.zoho.com
    forms.zohopublic.com
    g.page
    gateway.pinata.cloud
    github.com
    gitlab.com
    glitch.com
    godaddysites.com
    gofile.io
    groups.google.com
    indd.adobe.com
    ipfs.io
    issuu.com
    jimdofree.com
    jimdosite.com
    jotform.com
    keep.google.com
    linktr.ee
    livejournal.com
    lookerstudio.google.com
    media.discordapp.net
    mediafire.com
    medium.com
    mega.nz
    miro.com
    monday.com
    my.salesforce-sites.com
    my.salesforce.com
    my.site.com
    mystrikingly.com
    nftstorage.link
    notion.site
    notion.so
    onedrive.live.com
    padlet.com
    pastebin.com
    photos.google.com
    prezi.com
    qualtrics.com
    raw.githubusercontent.com
    rentry.co
    scribd.com
    script.google.com
    sendspace.com
    share.icloud.com
    sharefile.com
    sharepoint.com
    sites.google.com
    slack-files.com
    slideshare.net
    smartsheet.com
    spark.adobe.com
    storage.cloud.google.com
    storage.googleapis.com
    surveymonkey.com
    sway.cloud.microsoft
    sway.office.com
    t.me
    telegra.ph
    transfer.sh
    translate.goog
    translate.google.com
    trello.com
    trycloudflare.com
    tumblr.com
    typeform.com
    web.core.windows.net
    weebly.com
    wetransfer.com
    wixsite.com
    wordpress.com
    wufoo.com
    www.icloud.com";

const DISPOSABLE: &str = "
    10minutemail.com 33mail.com dispostable.com dropmail.me emailondeck.com fakeinbox.com getairmail.com
    getnada.com grr.la guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.info
    guerrillamail.net guerrillamail.org guerrillamailblock.com harakirimail.com mailcatch.com
    maildrop.cc mailinator.com mailinator.net mailnesia.com mintemail.com mohmal.com moakt.com
    mytemp.email sharklasers.com spam4.me spamgourmet.com temp-mail.org tempail.com tempmail.com
    throwawaymail.com trashmail.com trashmail.de yopmail.com yopmail.fr yopmail.net";

const SHORTENER: &str = "
    adf.ly bit.do bit.ly buff.ly cutt.ly dlvr.it forms.gle goo.gl is.gd j.mp lnkd.in ow.ly qrco.de rb.gy
    rebrand.ly s.id shorturl.at soo.gd t.co t.ly tiny.cc tinyurl.com trib.al v.gd we.tl";

/// Zones of the name servers of parked domains.
const PARKING: &str = "bodis.com parkingcrew.net sedoparking.com";

/// What resolves only inside of an anonymity network.
const ANONYMIZER: &str = "i2p onion";

/// Zones in which scanners' addresses have names.
const SCANNER: &str = "
    binaryedge.ninja censys-scanner.com internet-measurement.com shadowserver.org shodan.io
    stretchoid.com";

/// Gives the entries for a purpose. The administrator's own are unknown here; sinkholes change owners too often.
pub(super) fn entries(purpose: Purpose) -> impl Iterator<Item = &'static str> {
    let text = match purpose {
        Purpose::Reserved => RESERVED,
        Purpose::EmptyFile => EMPTY_FILE,
        Purpose::Popular => POPULAR,
        Purpose::Cdn => CDN,
        Purpose::Cloud => CLOUD,
        Purpose::Resolver => RESOLVER,
        Purpose::FreeMail => FREE_MAIL,
        Purpose::SecurityVendor => SECURITY_VENDOR,
        Purpose::SharedHosting => SHARED_HOSTING,
        Purpose::Disposable => DISPOSABLE,
        Purpose::DynamicDns => dynamic_dns::ZONES,

        Purpose::Shortener => SHORTENER,
        // They stand with the wrappers, which have to know what is in them.
        Purpose::SafeLink => "",
        Purpose::Parking => PARKING,
        Purpose::Anonymizer => ANONYMIZER,
        Purpose::Scanner => SCANNER,
        // Those of registries stand with the indicators, which have to know where a registration begins.
        Purpose::Own | Purpose::Trusted | Purpose::Sinkhole | Purpose::Registry => "",
    };
    let gateways = (purpose == Purpose::SafeLink).then(links::gateway_zones);
    let networks = (purpose == Purpose::Reserved).then(special::nobodys);
    text.split_whitespace()
        .chain(gateways.into_iter().flatten())
        .chain(networks.into_iter().flatten())
}

/// Adds the entries for a purpose.
pub(super) fn add(lists: &mut Lists, purpose: Purpose) {
    for entry in entries(purpose) {
        // Tests prove that every entry is taken.
        let added = lists.add_entry(purpose, entry, BUILT_IN);
        debug_assert_eq!(added, Ok(()), "{entry}");
    }
}
