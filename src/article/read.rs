//! From a page to the text of its article.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_smoothie::{Config, Readability};
use url::Url;

use super::marks::{self, Page};
use super::{TEXT_BYTES_MAX, Unfit, around, pieces, schema};
use crate::fetch::Document;
use crate::source::{self, Kind, linked};

/// How much of a page is read, in bytes of its text: long articles with all their scripts have less.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Most elements among which an article is looked for; pages with more are those of forums and lists.
const ELEMENTS_MAX: usize = 20_000;

/// The shortest text that counts as an article, in characters: below are crumbs of a page without one.
pub(super) const TEXT_CHARS_MIN: usize = 60;

/// Takes the article's text from a page, a line for each paragraph, at most [`TEXT_BYTES_MAX`] bytes. `asked` is the
/// address that the entry links to, before redirects; `lang` the language of the source.
///
/// # Errors
///
/// What the page is instead.
pub fn read(document: &Document, asked: &Url, lang: Option<&str>) -> Result<String, Unfit> {
    match source::sniff(&document.bytes, document.content_type.as_deref()) {
        Kind::Challenge => return Err(Unfit::Challenge),
        Kind::Empty => return Err(Unfit::NoText),
        Kind::Feed | Kind::Telegram | Kind::Unknown => return Err(Unfit::NotHtml),
        Kind::Page => {}
    }
    let decoded = linked::decoded(document, lang);
    let html = linked::bounded(cut(&decoded, PAGE_BYTES_MAX));
    let Found { title, text, part, free } = found(html, [&document.url, asked]);
    let page = Page { asked, url: &document.url, html, title: &title, text: &text, part: &part, free };
    match marks::unfit(&page) {
        Some(unfit) => Err(unfit),
        None if text.chars().nth(TEXT_CHARS_MIN - 1).is_none() => Err(Unfit::NoText),
        None => Ok(text),
    }
}

/// What was found in a page.
#[derive(Default)]
struct Found {
    /// The title of its article.
    title: String,
    /// The text of it.
    text: String,
    /// What readers see in the part of the page that it stands in.
    part: String,
    /// Whether the page says that it is free.
    free: Option<bool>,
}

/// What is found in a page of these addresses. The parser behind it is another's: what panics there has found nothing.
fn found(html: &str, own: [&Url; 2]) -> Found {
    let found = catch_unwind(AssertUnwindSafe(|| {
        let page = dom_query::Document::from(html);
        let schema::Told { free, body } = schema::told(&page, own);
        let shown = shown(page, own);
        let body = body.filter(|_| free != Some(false)).map(|body| linked::plain(&body)).unwrap_or_default();
        let text = if is_fuller(&body, &shown.text) { &body } else { &shown.text };
        Found { text: cut(text, TEXT_BYTES_MAX).to_owned(), free, ..shown }
    }));
    found.unwrap_or_default()
}

/// What a page shows of its article.
fn shown(page: dom_query::Document, own: [&Url; 2]) -> Found {
    let config = Config { max_elements_to_parse: ELEMENTS_MAX, disable_json_ld: true, ..Config::default() };
    let Some(part) = around::strip(&page, own, ELEMENTS_MAX) else { return Found::default() };
    pieces::split(&page);
    let reader = Readability::with_document(page, None, Some(config));
    let article = reader.and_then(|mut reader| reader.parse()).ok();
    let (title, text) =
        article.map(|article| (article.title, linked::plain(&article.content))).unwrap_or_default();
    Found { title, text, part, free: None }
}

/// Whether the text that a page states beside what it shows is longer by half: many show only the beginning, or what
/// their scripts make of it. Where it is as long, it is the same without the paragraphs.
fn is_fuller(stated: &str, shown: &str) -> bool {
    let chars = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    2 * chars(stated) >= 3 * chars(shown).max(1)
}

/// The longest beginning of at most so many bytes that ends with a character.
fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "https://paper.example/2026/convoy";

    const SENTENCES: &str = "The column left Gao before dawn and was hit an hour later on the road to Ansongo. \
        Two lorries burned, and the survivors walked back to the river. The army spoke of an isolated act. ";

    fn document(html: &str) -> Document {
        Document {
            url: Url::parse(ASKED).unwrap(),
            bytes: html.to_owned().into(),
            content_type: Some("text/html; charset=utf-8".to_owned()),
            validators: crate::fetch::Validators::default(),
            delta: false,
        }
    }

    fn at(url: &str, html: &str) -> Result<String, Unfit> {
        let document = Document { url: Url::parse(url).unwrap(), ..document(html) };
        read(&document, &Url::parse(ASKED).unwrap(), None)
    }

    fn article(text: &str) -> String {
        format!(
            "<html><head><title>Convoy attacked - The Paper</title></head><body><nav><a href=/>Home</a> <a href=/s>Sport</a></nav>\
             <article><h1>Convoy attacked</h1>{text}</article>\
             <aside><ul><li><a href=/1>Opera stages Wagner</a></li></ul></aside><footer>We use cookies. Log in</footer></body></html>"
        )
    }

    fn paragraphs(count: usize) -> String {
        format!("<p>{SENTENCES}</p>").repeat(count)
    }

    #[test]
    fn the_text_of_an_article_is_its_paragraphs() {
        let text = at(ASKED, &article(&paragraphs(3))).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("The column left Gao")).count(), 3, "{text}");
        for other in ["Opera", "Sport", "cookies"] {
            assert!(!text.contains(other), "{other} is no part of it: {text}");
        }
    }

    /// A page of that title that says this.
    fn titled(title: &str, body: &str) -> String {
        format!("<html><title>{title}</title><body><div><p>{body}</p></div></body></html>")
    }

    #[test]
    fn what_stands_in_an_articles_place_is_not_used() {
        let short = paragraphs(1);
        for (html, expected) in [
            (article(&format!("{short}<p>Subscribe to continue reading.</p>")), Unfit::Paywall),
            (article(&format!("{short}<p>Cet article est réservé aux abonnés.</p>")), Unfit::Paywall),
            (article(&format!("{short}<p>Материал доступен только подписчикам.</p>")), Unfit::Paywall),
            (article(&format!("{short}<p>هذا المحتوى متاح للمشتركين فقط</p>")), Unfit::Paywall),
            (
                format!(
                    "<script type=\"application/ld+json\">{{\"isAccessibleForFree\": false}}</script>{}",
                    article(&short)
                ),
                Unfit::Paywall,
            ),
            (
                titled(
                    "Before you continue",
                    &format!(
                        "We use cookies and data to deliver our services. {}",
                        "Accept all. ".repeat(20)
                    ),
                ),
                Unfit::Consent,
            ),
            (
                titled(
                    "Le Journal",
                    &format!("Nous et nos partenaires utilisons des cookies. {}", "Accepter. ".repeat(20)),
                ),
                Unfit::Consent,
            ),
            (
                titled("Портал", &format!("Этот сайт использует файлы cookie. {}", "Принять. ".repeat(20))),
                Unfit::Consent,
            ),
            (
                titled("بوابة", &format!("نحن نستخدم ملفات تعريف الارتباط. {}", "قبول. ".repeat(20))),
                Unfit::Consent,
            ),
            (
                titled("Paper", &format!("Please log in to continue. {}", "Welcome back. ".repeat(20))),
                Unfit::Login,
            ),
            (titled("Page introuvable", &"Désolé, rien ici. ".repeat(10)), Unfit::NotFound),
            (titled("404", &"Страница не найдена. ".repeat(10)), Unfit::NotFound),
            (titled("x", &"الصفحة غير موجودة. ".repeat(10)), Unfit::NotFound),
            (titled("Checking", &"Please verify you are human. ".repeat(10)), Unfit::Challenge),
            (titled("Wait", "<label>Please verify you are human</label>"), Unfit::Challenge),
            ("<html><title>Just a moment...</title></html>".to_owned(), Unfit::Challenge),
            ("%PDF-1.7 stream".to_owned(), Unfit::NotHtml),
            (titled("Empty", ""), Unfit::NoText),
        ] {
            assert_eq!(at(ASKED, &html), Err(expected), "{html}");
        }
    }

    #[test]
    fn whole_sentences_in_an_articles_place_are_not_used() {
        let short = paragraphs(1);
        for (html, expected) in [
            (
                titled(
                    "Le Journal",
                    "Le respect de votre vie privée est notre priorité. Avec votre accord, nos 236 partenaires et \
                     nous-mêmes utilisons des traceurs pour traiter des données personnelles.",
                ),
                Unfit::Consent,
            ),
            (
                article(&format!(
                    "{short}<p>Il vous reste 85% de cet article à lire. La suite est réservée à nos abonnés.</p>"
                )),
                Unfit::Paywall,
            ),
            (
                titled(
                    "Вход",
                    "Авторизуйтесь, чтобы продолжить чтение. Введите логин и пароль от учётной записи.",
                ),
                Unfit::Login,
            ),
            (
                titled(
                    "Paper",
                    "Notre site est actuellement en maintenance, nous serons bientôt de retour ici.",
                ),
                Unfit::NotFound,
            ),
            (
                titled(
                    "Oops",
                    "Sorry, we could not find what you are looking for. Maybe you like these instead.",
                ),
                Unfit::NotFound,
            ),
        ] {
            assert_eq!(at(ASKED, &html), Err(expected), "{html}");
        }
    }

    /// A page with an article of four paragraphs, and something before and behind it.
    fn beside(head: &str, before: &str, behind: &str) -> String {
        let sentences = [
            "A convoy was attacked on Monday morning on the road between Gao and Ansongo, the army said on national radio.",
            "Two lorries burned and at least six soldiers were wounded, according to the same source.",
            "Residents reached by telephone said that the survivors had walked back to the river, where boats waited.",
            "Nobody had claimed the attack by Monday evening. It is the third on this road since the beginning of the month.",
        ];
        let text = sentences.map(|sentence| format!("<p>{sentence}</p>")).concat();
        format!(
            "<html><head><title>News - The Paper</title>{head}</head><body><header><nav><a href=/>Home</a></nav></header>\
             {before}<main><article><h1>News</h1><div class=entry-content>{text}</div></article></main>{behind}</body></html>"
        )
    }

    #[test]
    fn a_banner_beside_an_article_is_no_request_in_its_place() {
        for banner in [
            "<div id=cookie-law-info-bar><span>We use cookies on our website to give you the most relevant experience by \
             remembering your preferences and repeat visits. By clicking Accept, you consent to the use of ALL the cookies.\
             <a role=button>Accept</a></span></div>",
            "<div id=onetrust-banner-sdk><div id=onetrust-policy><p id=onetrust-policy-text>We and our partners store and/or \
             access information on a device, such as cookies, and process personal data.</p></div>\
             <button>Accept all cookies</button></div>",
            "<div class=popup-rgpd><p>Nous et nos partenaires utilisons des cookies et des traceurs pour mesurer \
             l’audience, et vous pouvez accepter ou refuser.</p><button>Continuer sans accepter</button></div>",
        ] {
            for page in [beside("", banner, ""), beside("", "", banner)] {
                let text = at(ASKED, &page).unwrap();
                assert!(text.contains("A convoy") && text.contains("Nobody had"), "{banner}: {text}");
                assert!(!text.contains("cookies"), "{banner}: {text}");
            }
            let alone = format!("<html><title>The Paper</title><body>{banner}</body></html>");
            assert_eq!(at(ASKED, &alone), Err(Unfit::Consent), "{banner}");
        }
        // One without a name may be taken for a part of the article, which stays one.
        let plain = "<div class=bottom><p>Мы используем файлы cookie, чтобы сделать сайт удобнее, и продолжая, вы \
                     соглашаетесь с этим, как и с политикой конфиденциальности.</p></div>";
        for page in [beside("", plain, ""), beside("", "", plain)] {
            assert!(at(ASKED, &page).is_ok_and(|text| text.contains("Nobody had")));
        }
    }

    #[test]
    fn what_is_said_of_another_article_makes_none_a_paywall() {
        let data = |json: &str| format!("<script type=application/ld+json>{json}</script>");
        let sold = r#"{"@type":"NewsArticle","url":"/2","isAccessibleForFree":false}"#;
        let free = r#"{"@type":"NewsArticle","isAccessibleForFree":true}"#;
        let list = data(&format!(r#"{{"@type":"ItemList","itemListElement":[{sold}]}}"#));
        let label =
            "<ul><li><span>Article réservé aux abonnés</span> <a href=/2>Orange</a></li><li>Mali</li></ul>";
        let offer = "<p>Article réservé aux abonnés</p>";
        let within = |what: &str| beside("", "", "").replace("</article>", &format!("{what}</article>"));
        for (page, expected) in [
            (beside("", "", &format!("<aside>{label}</aside>")), None),
            (beside("", "", &format!("<div>{label}</div>")), None),
            (within(&format!("<aside>{label}</aside>")), None),
            (beside("", "", "<footer><p>Subscribe to keep reading our newsletter</p></footer>"), None),
            (beside(&data(free), "", &list), None),
            (beside(&data(sold), "", ""), None),
            (beside("<script>var cfg={isAccessibleForFree:false}</script>", "", ""), None),
            (beside(&data(&sold.replace("/2", ASKED)), "", ""), Some(Unfit::Paywall)),
            (within(offer), Some(Unfit::Paywall)),
            (within(&format!("<div class=offer>{offer}</div>")), Some(Unfit::Paywall)),
            (
                beside("", "", "")
                    .replace("</main>", "<a href=/buy>Subscribe to continue reading</a></main>"),
                Some(Unfit::Paywall),
            ),
        ] {
            assert_eq!(at(ASKED, &page).err(), expected, "{page}");
        }
    }

    #[test]
    fn what_a_page_says_beside_an_article_makes_it_nothing_else() {
        let page = beside("", "", "");
        for what in [
            "<div class=nl><form><label>Cochez la case si vous n’êtes pas un robot</label></form></div>",
            "<form><p>Please verify you are human</p><input></form>",
            "<div style='display: none'>Please verify that you are human before you send the form.</div>",
            "<p hidden>Please log in to continue</p>",
            "<p class=must-log-in>You must be <a href=/login>logged in</a> to post a comment.</p>",
            "<div class=note>Vous devez être connecté pour publier un commentaire.</div>",
            "<div><p>Pour participer au forum, identifiez-vous pour poster un message.</p></div>",
            "<p>Abonnez-vous pour lire la suite de nos enquêtes, dès 1 euro par mois.</p>",
            "<div class=offer><p>Support us. Already a subscriber? <a href=/login>Sign in</a></p></div>",
            "<div class=embed><p>The video that was here is not there. Error 404</p></div>",
            "<p>Lire aussi | <a href=/2>Mines d’or : qui profite de la hausse</a> <i>Article réservé aux abonnés</i></p>",
            "<div class=promo><a href=/2>Mines d’or : qui profite de la hausse</a> <i>Article réservé aux abonnés</i></div>",
        ] {
            for end in ["</article>", "</main>"] {
                let text = at(ASKED, &page.replace(end, &format!("{what}{end}")));
                assert!(text.as_ref().is_ok_and(|text| text.contains("Nobody had")), "{what}: {text:?}");
            }
        }
        for (what, expected) in [
            ("<p>Vous devez être connecté pour lire la suite.</p>", Unfit::Login),
            ("<p>Abonnez-vous pour lire la suite. Nos offres sont là.</p>", Unfit::Paywall),
            (
                "<p>Article réservé aux abonnés. <a href=/abonnement/2>Découvrez toutes nos formules</a></p>",
                Unfit::Paywall,
            ),
            (
                "<p>Article réservé aux abonnés. <a href=/2>Abonnez-vous dès maintenant</a></p>",
                Unfit::Paywall,
            ),
        ] {
            let text = at(ASKED, &page.replace("</article>", &format!("{what}</article>")));
            assert_eq!(text, Err(expected), "{what}");
        }
    }

    #[test]
    fn the_text_that_a_page_states_is_the_article_where_it_shows_less() {
        let stated = |more: &str| {
            let text = SENTENCES.repeat(3);
            format!(
                "<script type=application/ld+json>{{\"@type\":\"NewsArticle\"{more},\"articleBody\":\"{text}Kidal fell.\"}}</script>"
            )
        };
        let app = |data: &str| format!("<html><head>{data}</head><body><div id=app></div></body></html>");
        let teaser = format!(
            "{}{}",
            stated(""),
            article("<p>The column left Gao before dawn, said the army on the radio.</p>")
        );
        for page in [app(&stated("")), app(&stated(",\"isAccessibleForFree\":true")), teaser] {
            let text = at(ASKED, &page);
            assert!(text.as_ref().is_ok_and(|text| text.contains("Kidal fell.")), "{page}: {text:?}");
        }
        let shown = at(ASKED, &beside(&stated(""), "", "")).unwrap();
        assert!(shown.contains("Nobody had") && !shown.contains("Kidal"), "{shown}");
        assert_eq!(at(ASKED, &app(&stated(",\"isAccessibleForFree\":false"))), Err(Unfit::Paywall));
        assert_eq!(at(ASKED, &app(&stated(",\"url\":\"/2026/opera\""))), Err(Unfit::NoText));
    }

    #[test]
    fn a_redirect_elsewhere_tells_what_the_page_is() {
        let page = article(&paragraphs(4));
        for (url, expected) in [
            ("https://paper.example/", Some(Unfit::NotFound)),
            ("https://consent.example/v2?continue=x", Some(Unfit::Consent)),
            ("https://paper.example/login?next=x", Some(Unfit::Login)),
            ("https://paper.example/abonnement", Some(Unfit::Paywall)),
            ("https://paper.example/2026/convoy-attacked", None),
        ] {
            assert_eq!(at(url, &page).err(), expected, "{url}");
        }
    }

    #[test]
    fn a_brief_is_one_whatever_stands_around_it_and_its_own_words_are_no_marks() {
        let brief = paragraphs(1);
        for around in
            ["Already a subscriber? Log in", "Pour lire la suite, abonnez-vous", "Только для подписчиков"]
        {
            let page = article(&brief).replace("We use cookies. Log in", around);
            assert!(at(ASKED, &page).is_ok(), "{around}");
            let within = article(&format!("{brief}<p>{around}</p>"));
            assert_eq!(at(ASKED, &within), Err(Unfit::Paywall), "{around}");
        }
        let fuel =
            format!("<p>Fuel is no longer available in Bamako, and none was found in Kati.</p>{brief}");
        assert!(at(ASKED, &article(&fuel)).is_ok());
        let gone = article(&brief)
            .replace("<title>Convoy attacked - The Paper", "<title>No longer available - The Paper");
        assert_eq!(at(ASKED, &gone), Err(Unfit::NotFound));
    }

    #[test]
    fn a_long_article_that_speaks_of_such_things_is_one() {
        let text =
            format!("{}<p>Subscribe to continue reading our coverage. We use cookies.</p>", paragraphs(15));
        assert!(at(ASKED, &article(&text)).is_ok());
    }

    #[test]
    fn hostile_pages_cost_bounded_work() {
        let began = std::time::Instant::now();
        for unit in [
            "<div>",
            "<b><p>",
            "<a href=x><table>",
            "<p>a, b, c, d</p>",
            "<div><br><br>x</div>",
            "<table><tr><td>",
            "<ul><li><font>",
        ] {
            for count in [9_000, 100_000] {
                let text = at(ASKED, &format!("<html><body>{}", unit.repeat(count)));
                assert!(text.is_err() || text.is_ok_and(|text| text.len() <= TEXT_BYTES_MAX), "{unit}");
            }
        }
        let endless = at(ASKED, &article(&paragraphs(9_000))).unwrap();
        assert!(endless.len() <= TEXT_BYTES_MAX);
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }

    /// Work by the square of the length would take minutes.
    #[test]
    fn characters_that_are_escaped_cost_bounded_work() {
        let many = "& « ".repeat(100_000);
        for last in [format!("<p>{many}</p>"), format!("<p title='{many}'>Gao.</p>")] {
            let text = at(ASKED, &article(&format!("{}{last}", paragraphs(2)))).unwrap();
            assert!(text.contains("The column left Gao"));
        }
    }
}
