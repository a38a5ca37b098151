//! Holds the zones of dynamic DNS services, whose customers point a name at whatever address they have this hour.

/// Zones below which customers of dynamic DNS services get names.
///
/// The list was written for this project in November 2026. It holds the zones of the operators in the private section of
/// the Public Suffix List (<https://publicsuffix.org/list/>) that offer dynamic DNS: ClouDNS, COSIMO, ddnss.de, deSEC,
/// DuckDNS, dy.fi, DynDNS, Dynu, dynv6, freemyip, GoIP, No-IP, Now-DNS, nsupdate.info, Securepoint, TwoDNS and makers of
/// routers and storage. Beside these it has zones of ChangeIP, FreeDNS, Oray and 3322.org, which that list lacks.
pub(super) const ZONES: &str = "
    16-b.it 1dumb.com 2288.org 25u.com 2waky.com 32-b.it 3322.org 3utilities.com 4dq.com 4pu.com 51vip.biz
    64-b.it 6600.org 7766.org 8800.org 8866.org 9966.org accesscam.org acmetoy.com almostmy.com
    at-band-camp.net ath.cx authorizeddns.net authorizeddns.org barrel-of-knowledge.info
    barrell-of-knowledge.info better-than.tv blogdns.com blogdns.net blogdns.org blogsite.org blogsyte.com
    boldlygoingnowhere.org bounceme.net brasilia.me broke-it.net buyshouses.net cable-modem.org camdvr.org
    casacam.net cechire.com changeip.co changeip.net changeip.org chickenkiller.com ciscofreak.com
    cleansite.biz cleansite.info cloudns.asia cloudns.biz cloudns.cc cloudns.club cloudns.eu cloudns.in
    cloudns.info cloudns.org cloudns.pro cloudns.pw cloudns.us collegefan.org couchpotatofries.org
    crabdance.com damnserver.com ddns-ip.net ddns.berlin ddns.info ddns.me ddns.mobi ddns.ms ddns.net
    ddns.us ddnsfree.com ddnsgeek.com ddnsguru.com ddnsking.com ddnss.de ddnss.org ddnssec.de dedyn.io
    direct.quickconnect.cn direct.quickconnect.to diskstation.me ditchyourip.com dns-cloud.net dns-dns.com
    dns-dynamic.net dns-stuff.com dns04.com dns05.com dns1.us dns2.us dnsalias.com dnsalias.net dnsalias.org
    dnsdojo.com dnsdojo.net dnsdojo.org dnsdynamic.org dnset.com dnsfor.me dnshome.de dnsiskinky.com
    dnsking.ch dnsrd.com dnsup.net dnsupdate.info dnsupdater.de does-it.net doesntexist.com doesntexist.org
    dontexist.com dontexist.net dontexist.org doomdns.com doomdns.org drayddns.com dscloud.biz dscloud.me
    dscloud.mobi dsmtp.com dsmynas.com dsmynas.net dsmynas.org duckdns.org dumb1.com dvrcam.info dvrdns.org
    dy.fi dyn-berlin.de dyn-ip24.de dyn-o-saur.com dyn.cosidns.de dyn.ddnss.de dyn.home-webserver.de dyn.now
    dynalias.com dynalias.net dynalias.org dynamic-dns.info dynamic-dns.net dynamicdns.biz dynamicdns.co.uk
    dynamisches-dns.de dynathome.net dyndns-at-home.com dyndns-at-work.com dyndns-blog.com dyndns-free.com
    dyndns-home.com dyndns-ip.com dyndns-mail.com dyndns-office.com dyndns-pics.com dyndns-remote.com
    dyndns-server.com dyndns-web.com dyndns-wiki.com dyndns-work.com dyndns.biz dyndns.dappnode.io
    dyndns.ddnss.de dyndns.info dyndns.org dyndns.pro dyndns.tv dyndns.ws dyndns1.de dyndnssec.de dynns.com
    dynserv.org dynu.net dynuddns.com dynuddns.net dynv6.net eating-organic.net edns.biz eicp.net
    endofinternet.net endofinternet.org endoftheinternet.org epac.to esmtp.biz est-a-la-maison.com
    est-a-la-masion.com est-le-patron.com est-mon-blogueur.com ezua.com f3322.net f3322.org familyds.com
    familyds.net familyds.org fantasyleague.cc faqserv.com fartit.com fbx-os.fr fbxos.fr feste-ip.net
    firewall-gateway.com firewall-gateway.de firewall-gateway.net for-better.biz for-more.biz for-our.info
    for-some.biz for-the.biz forgot.her.name forgot.his.name forumz.info freebox-os.com freebox-os.fr
    freeboxos.com freeboxos.fr freeddns.com freeddns.org freeddns.us freedns.afraid.org freemyip.com
    freetcp.com from-ak.com from-al.com from-ar.com from-az.net from-ca.com from-co.net from-ct.com
    from-dc.com from-de.com from-fl.com from-ga.com from-hi.com from-ia.com from-id.com from-il.com
    from-in.com from-ks.com from-ky.com from-la.net from-ma.com from-md.com from-me.org from-mi.com
    from-mn.com from-mo.com from-ms.com from-mt.com from-nc.com from-nd.com from-ne.com from-nh.com
    from-nj.com from-nm.com from-nv.com from-ny.net from-oh.com from-ok.com from-or.com from-pa.com
    from-pr.com from-ri.com from-sc.com from-sd.com from-tn.com from-tx.com from-ut.com from-va.com
    from-vt.com from-wa.com from-wi.com from-wv.com from-wy.com ftp.sh ftpaccess.cc ftpserver.biz
    fuettertdasnetz.de game-host.org game-server.cc geekgalaxy.com getmyip.com gets-it.net gettrials.com
    gicp.net giize.com gleeze.com go.dyndns.org goip.de golffan.us got-game.org gotdns.ch gotdns.com
    gotdns.org gr8domain.biz gr8name.biz groks-the.info groks-this.info h4ck.me ham-radio-op.net
    health-carereform.com here-for-more.info hicam.net hobby-site.com hobby-site.org home-webserver.de
    home.dyndns.org homedns.org homeftp.net homeftp.org homeip.net homelinux.com homelinux.net homelinux.org
    homesecuritymac.com homesecuritypc.com homeunix.com homeunix.net homeunix.org hopto.me hopto.org
    https443.net https443.org i234.me iamallama.com ignorelist.com ikwb.com ilovecollege.info imwork.net
    in-brb.de in-butter.de in-dsl.de in-dsl.net in-dsl.org in-the-band.net in-vpn.de in-vpn.net in-vpn.org
    instanthq.com internet-dns.de iownyour.biz ip-ddns.com ip-dynamic.org is-a-anarchist.com
    is-a-blogger.com is-a-bookkeeper.com is-a-bruinsfan.org is-a-bulls-fan.com is-a-candidate.org
    is-a-caterer.com is-a-celticsfan.org is-a-chef.com is-a-chef.net is-a-chef.org is-a-conservative.com
    is-a-cpa.com is-a-cubicle-slave.com is-a-democrat.com is-a-designer.com is-a-doctor.com
    is-a-financialadvisor.com is-a-geek.com is-a-geek.net is-a-geek.org is-a-green.com is-a-guru.com
    is-a-hard-worker.com is-a-hunter.com is-a-knight.org is-a-landscaper.com is-a-lawyer.com
    is-a-liberal.com is-a-libertarian.com is-a-linux-user.org is-a-llama.com is-a-musician.com
    is-a-nascarfan.com is-a-nurse.com is-a-painter.com is-a-patsfan.org is-a-personaltrainer.com
    is-a-photographer.com is-a-player.com is-a-republican.com is-a-rockstar.com is-a-socialist.com
    is-a-soxfan.org is-a-student.com is-a-teacher.com is-a-techie.com is-a-therapist.com
    is-an-accountant.com is-an-actor.com is-an-actress.com is-an-anarchist.com is-an-artist.com
    is-an-engineer.com is-an-entertainer.com is-by.us is-certified.com is-found.org is-gone.com
    is-into-anime.com is-into-cars.com is-into-cartoons.com is-into-games.com is-leet.com is-lost.org
    is-not-certified.com is-saved.org is-slick.com is-uberleet.com is-very-bad.org is-very-evil.org
    is-very-good.org is-very-nice.org is-very-sweet.org is-with-theband.com isa-geek.com isa-geek.net
    isa-geek.org isa-hockeynut.com isasecret.com issmarterthanyou.com isteingeek.de istmein.de itemdb.com
    itsaol.com jetos.com jkub.com jumpingcrab.com jungleheart.com justdied.com keenetic.link keenetic.name
    keenetic.pro kicks-ass.net kicks-ass.org knowsitall.info knx-server.net kozow.com l-o-g-i-n.de
    land-4-sale.us lebtimnetz.de leitungsen.de lflink.com lflinkup.com lflinkup.net likes-pie.com
    likescandy.com loginto.me logoip.com logoip.de longmusic.com loseyourip.com mefound.com merseine.nu
    mine.nu misconfused.org misecure.com mlbfan.org mmafan.biz moneyhome.biz mooo.com mrbasic.com
    mrbonus.com mrface.com mrslove.com my-firewall.org my-gateway.de my-router.de my03.com
    myactivedirectory.com myasustor.com mydad.info myddns.com myddns.rocks mydissent.net myds.me
    myeffect.net myfirewall.org myfritz.net myftp.biz myftp.info myftp.name myftp.org myhome-server.de
    myiphost.com mylftv.com mymediapc.net mymom.info mynetav.net mynetav.org mynumber.org mypets.ws
    myphotos.cc mypi.co mypicture.info mypop3.net mypsx.net myqnapcloud.com mysecondarydns.com
    mysecuritycamera.com mysecuritycamera.net mysecuritycamera.org myvnc.com mywire.org mywww.biz myz.info
    neat-url.com nerdpol.ovh net-freaks.com nflfan.org nhlfan.net ninth.biz no-ip.biz no-ip.ca no-ip.co.uk
    no-ip.info no-ip.net no-ip.org noip.me noip.us now-dns.net now-dns.org ns01.biz ns01.info ns01.us
    ns02.biz ns1.name ns2.name nsupdate.info ntdll.top ocry.com office-on-the.net oicp.net on-the-web.tv
    onedumb.com onmypc.info onmypc.net onmypc.org onthewifi.com ooguy.com organiccrap.com otzo.com
    ourhobby.com ownip.net pcanywhere.net pgafan.net podzone.net podzone.org point2this.com pointto.us
    port25.biz privatizehealthinsurance.net proxydns.com qhigh.com qpoe.com quicksytes.com read-books.org
    readmyblog.org rebatesrule.net redirectme.net saves-the-whales.com scrapper-site.net scrapping.cc
    securitytactics.com selfip.biz selfip.com selfip.info selfip.net selfip.org sellclassics.com
    sells-for-less.com sells-for-u.com sells-it.net sellsyourhome.org sendsmtp.com servebbs.com servebbs.net
    servebbs.org servebeer.com serveblog.net servecounterstrike.com serveexchange.com serveftp.com
    serveftp.net serveftp.org servegame.com servegame.org servehalflife.com servehttp.com servehumour.com
    serveirc.com serveminecraft.net servemp3.com servep2p.com servepics.com servequake.com servesarcasm.com
    serveuser.com serveusers.com shacknet.nu simple-url.com sixth.biz soundcast.me space-to-rent.com
    spdns.de spdns.eu spdns.org squirly.info ssl443.org static-access.net strangled.net stuff-4-sale.org
    stuff-4-sale.us stufftoread.com synology.me sytes.net taifun-dns.de tcp4.me teaches-yoga.com
    temp-dns.com theworkpc.com thruhere.net toh.info toythieves.com traeumtgerade.de trickip.net trickip.org
    tunk.org twilightparadox.com ufcfan.org uk.to undo.it unusualperson.com us.to vicp.cc vicp.net
    vizvaz.com vpndns.net vpnplus.to webhop.biz webhop.info webhop.me webhop.net webhop.org webredirect.org
    wicp.net wikaba.com workisboring.com worse-than.tv writesthisblog.com wwwhost.biz x24hr.com x443.pw
    xicp.net xxuz.com xxxy.biz xxxy.info ygto.com yicp.io youdontcare.com yourtrap.com zapto.org zyns.com
    zzux.com";
