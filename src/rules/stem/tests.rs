//! What must meet, what must not, and what does though it should not.

use proptest::prelude::*;

use super::*;

fn filed(language: Language, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    stems(language, word, &mut |stem| found.push(stem.to_owned()));
    found
}

/// Each row: a word, and forms of it.
fn meet(language: Language, rows: &[&str]) {
    for row in rows {
        let (word, forms) = row.split_once(' ').expect("a row has two words");
        for form in forms.split(' ') {
            let stems = (filed(language, word), filed(language, form));
            assert!(is_form_of(language, word, form), "{word} and {form} do not meet: {stems:?}");
        }
    }
}

/// Each row: two words that are no forms of one another.
fn stay_apart(language: Language, rows: &[(&str, &str)]) {
    for (a, b) in rows {
        let stems = (filed(language, a), filed(language, b));
        assert!(!is_form_of(language, a, b), "{a} and {b} meet: {stems:?}");
    }
}

const ENGLISH_FORMS: &[&str] = &[
    "withdraw withdrew withdrawn withdraws withdrawing withdrawal",
    "shoot shot shooting shoots",
    "take took taken takes taking",
    "seize seized seizing seizes",
    "fight fought fighting fights",
    "flee fled fleeing flees",
    "strike struck stricken strikes striking",
    "leave left leaving leaves",
    "lead led leads leading",
    "hold held",
    "bring brought",
    "steal stole stolen",
    "overthrow overthrew overthrown overthrows",
    "kidnap kidnapped kidnapping kidnaps",
    "kill killed killing killings",
    "attack attacks attacked attacking",
    "free freed freeing frees",
    "deny denied denies",
    "man men",
    "woman women",
    "child children",
    "policeman policemen",
    "gunman gunmen",
    "travel travelled traveling travelling",
    "cancel cancelled",
    "rebel rebels rebelled",
    "patrol patrolled patrols",
    "crisis crises",
    "base bases based",
    "die died dying dies",
    "militia militias",
    "mercenary mercenaries",
    "country countries",
    "army armies",
    "ally allies allied",
    "deploy deployed deployment deployments deploys",
    "arrest arrested arrests",
    "expel expelled",
    "capture captured capturing",
    "ambush ambushed ambushes",
    "bomb bombed bombing bombings",
    "thief thieves",
    "life lives",
    "blockade blockaded blockading",
    "besiege besieged",
    "agree agreed agreeing",
    "organize organised organising",
    "organization organisations",
    "university universities",
    "hijack hijacked hijackers",
    "massacre massacred massacres",
    "coup coups",
    "mutiny mutinies mutinied",
    "execute executed execution",
    "oust ousted ousting",
    "resign resigned resignation",
    "sanction sanctions sanctioned",
    "visit visited visits",
    "mine mines mined mining",
    "go went gone goes",
    "send sent",
    "retake retook",
    "sell sold",
    "fall fell fallen",
    "begin began begun",
    "ambush ambushing",
    "spokesman spokesmen",
    "undergo underwent",
    "slay slain",
    "rise rose risen",
];

#[test]
fn english_forms_meet() {
    meet(Language::English, ENGLISH_FORMS);
}

const ENGLISH_APART: &[(&str, &str)] = &[
    ("general", "generate"),
    ("general", "generous"),
    ("generate", "generous"),
    ("universe", "university"),
    ("universe", "universal"),
    ("universal", "university"),
    ("organ", "organization"),
    ("important", "import"),
    ("author", "authority"),
    ("police", "policy"),
    ("new", "news"),
    ("arm", "army"),
    ("wound", "wind"),
    ("base", "basement"),
    ("mine", "miner"),
    ("coup", "couple"),
    ("mali", "malice"),
    ("nation", "native"),
    ("rebel", "rebellion"),
    ("men", "mean"),
    ("military", "militia"),
    ("militia", "militant"),
    ("hostage", "hostile"),
    ("war", "ward"),
    ("fire", "firm"),
    ("state", "station"),
    ("capital", "capitol"),
    ("custom", "customs"),
    ("execute", "executive"),
    ("plane", "plan"),
    ("port", "portion"),
];

#[test]
fn english_words_that_look_alike_stay_apart() {
    stay_apart(Language::English, ENGLISH_APART);
}

const FRENCH_FORMS: &[&str] = &[
    "retirer retire retiree retirees retires retirent retirera retirait retirerent retirant",
    "enlever enleve enlevee enlevees enlevement enleverent enlevent enleves",
    "tuer tue tuee tuees tues tuent tuerent tuant",
    "attaquer attaque attaques attaquee attaquent attaquerent attaquait",
    "negocier negocie negociee negocies negociees negocient negocierent",
    "prendre pris prise prises prend prennent prenait prirent",
    "reprendre repris reprend reprennent",
    "mettre mis met mettent",
    "tenir tenu tient tiennent tint",
    "venir venu vient viennent",
    "conquerir conquis",
    "perdre perdu perd perdent perdue",
    "detruire detruit detruite detruits detruisent",
    "elire elu elus elue",
    "abattre abattu abattus abattue",
    "combattre combattu combattent",
    "combattant combattants",
    "fuir fuit fuient fui fuyant",
    "saisir saisi saisie saisies saisit saisissent saisirent",
    "liberer libere liberee liberes liberees liberent",
    "bombarder bombarde bombardes bombardent bombardement",
    "deployer deploie deploient deployes deploiement",
    "mercenaire mercenaires",
    "general generaux",
    "journal journaux",
    "hopital hopitaux",
    "tribunal tribunaux",
    "otage otages",
    "occuper occupe occupee occupent",
    "quitter quitte quittee quittent quitterent",
    "lancer lance lancent lancerent lancee lances",
    "arreter arrete arretee arretes arretent arreterent",
    "expulser expulse expulses expulsent",
    "suspendre suspendu suspendue suspend suspendent",
    "interdire interdit interdite",
    "condamner condamne condamnes condamnent",
    "affirmer affirment affirme",
    "assassiner assassine assassinee assassines",
    "appeler appelle appellent",
    "mourir meurt meurent",
    "renverser renverse renversee",
    "armee armees",
    "soldat soldats",
    "exploser explose explosion explosent",
    "annoncer annonce annoncent annoncerent",
    "rejoindre rejoint",
    "soutenir soutenu soutient",
    "transferer transfere transferes",
    "demettre demis",
    "intervenir intervient intervenu",
    "capturer capture captures capturent",
    "piller pille pillee pillent pilles",
    "bruler brule brulees brulent",
    "incendier incendie incendiees incendies incendient",
    "eglise eglises",
    "signer signe signee signent",
    "viol viols",
];

#[test]
fn french_forms_meet() {
    meet(Language::French, FRENCH_FORMS);
}

const FRENCH_APART: &[(&str, &str)] = &[
    ("arme", "armee"),
    ("violent", "viol"),
    ("agent", "age"),
    ("president", "presider"),
    ("mort", "mourir"),
    ("contre", "contree"),
    ("an", "annee"),
    ("anne", "annee"),
    ("pouvoir", "peut"),
    ("pendant", "pendre"),
    ("mine", "mineur"),
    ("univers", "universite"),
    ("junte", "jungle"),
    ("bord", "bordel"),
    ("gouverneur", "gouvernement"),
    ("ministre", "ministere"),
    ("arme", "armement"),
    ("civil", "civique"),
    ("capitaine", "capitale"),
    ("camp", "campagne"),
    ("or", "ordre"),
    ("base", "basse"),
    ("milice", "militaire"),
    ("nation", "natif"),
    ("mission", "mis"),
    ("sol", "soldat"),
    ("marche", "marchand"),
    ("mali", "malien"),
    ("general", "generique"),
    ("auteur", "autorite"),
    ("legion", "legende"),
    ("ville", "village"),
];

#[test]
fn french_words_that_look_alike_stay_apart() {
    stay_apart(Language::French, FRENCH_APART);
}

const RUSSIAN_FORMS: &[&str] = &[
    "захватить захватил захватили захвачен захвачена захвачены захваченный захваченные захватит захватят захвачено",
    "захват захвата захваты",
    "атаковать атаковал атаковали атакует атакуют атакован атакованы",
    "убить убил убили убит убиты убита убьют убьет убитых убитые",
    "взять взял взяли взяла возьмут возьмет взята взято",
    "вывести вывел вывели выведены выведен выведет выведут",
    "вывод вывода выводе",
    "уйти ушел ушла ушли уйдут уйдет",
    "наемник наемники наемников наемниками",
    "похитить похитил похитили похищен похищены похищенных",
    "освободить освободил освобожден освобождены освобожденные",
    "запретить запретил запрещен запрещена",
    "подтвердить подтвердил подтвержден",
    "уничтожить уничтожил уничтожен уничтожены уничтоженный",
    "направить направил направлен направлены",
    "выпустить выпустил выпущен выпущены",
    "боец бойцы бойцов бойца",
    "малиец малийцы малийцев",
    "поставка поставок поставки",
    "список списки списка",
    "подросток подростки",
    "солдат солдаты солдат солдатами",
    "погибнуть погиб погибли погибших погибший",
    "умереть умер умерли умерших",
    "задержать задержал задержан задержаны задержит задержат",
    "напасть напал напали нападет",
    "человек люди людей",
    "ребенок дети детей",
    "военный военные военных военного",
    "сбросить сбросил сброшены сброшен",
    "купить купил куплен",
    "передать передал передали переданы передаст",
    "взорвать взорвал взорвали взорван взорвется взорвались",
    "воевать воюет воюют",
    "обстрелять обстрелял обстреляли обстрелян обстреляна",
    "ранить ранил ранен ранены раненых раненые",
    "заявить заявил заявили заявлен",
    "подписать подписал подписано подпишет",
    "отправить отправлены отправил отправили",
    "бойня бойни",
    "казнить казнил казнены",
    "свергнуть сверг свергли свергнут",
    "переворот перевороты переворота",
    "войска войск войсками",
    "атака атаки атак",
    "разместить размещен размещены разместили",
    "занять занял заняли занят займет",
    "начать начал началась начнет начнут",
    "найти нашел нашли найден найдены найдут",
    "контролировать контролирует контролируют контролировал",
    "аннексировать аннексирует",
    "бомбить бомбят бомбили",
    "сдаться сдались сдался",
];

#[test]
fn russian_forms_meet() {
    meet(Language::Russian, RUSSIAN_FORMS);
}

const RUSSIAN_APART: &[(&str, &str)] = &[
    ("вывод", "вывести"),
    ("уйти", "уходить"),
    ("уходит", "уйдет"),
    ("мир", "мирный"),
    ("бой", "боец"),
    ("война", "военный"),
    ("банк", "банда"),
    ("полк", "полковник"),
    ("рота", "ротация"),
    ("мина", "минута"),
    ("порт", "портной"),
    ("сила", "село"),
    ("страна", "странный"),
    ("народ", "родина"),
    ("наем", "наемник"),
    ("воин", "война"),
    ("пост", "постановка"),
    ("право", "правительство"),
    ("убить", "убрать"),
    ("взять", "взятка"),
    ("закон", "конец"),
    ("мост", "москва"),
    ("глава", "главный"),
    ("союз", "соус"),
    ("группа", "грипп"),
    ("партия", "партизан"),
    ("орган", "организация"),
    ("суд", "судно"),
    ("удар", "ударник"),
    ("вода", "водка"),
    ("стать", "статья"),
    ("дать", "дата"),
];

#[test]
fn russian_words_that_look_alike_stay_apart() {
    stay_apart(Language::Russian, RUSSIAN_APART);
}

const ARABIC_FORMS: &[&str] = &[
    "قتل قتلت قتلوا يقتل يقتلون",
    "هجوم هجومات الهجوم",
    "هاجم هاجمت هاجموا يهاجم",
    "جندي جنديا",
    "مسلح مسلحون مسلحين مسلحه",
    "انسحب انسحبت انسحبوا",
    "انسحاب انسحابات",
    "مرتزق مرتزقه",
    "اختطف اختطفت اختطفوا",
    "سيطر سيطرت سيطروا",
    "اعلن اعلنت اعلنوا",
    "قوه قوات",
    "عمليه عمليات",
    "رهينه رهينات",
    "معتقل معتقلين معتقلون",
    "مقاتل مقاتلين مقاتلون",
    "انفجار انفجارات",
    "دوله دولت",
    "ضربه ضربات",
];

#[test]
fn arabic_forms_meet() {
    meet(Language::Arabic, ARABIC_FORMS);
}

const ARABIC_APART: &[(&str, &str)] =
    &[("قتل", "قاتل"), ("مالي", "مال"), ("جيش", "جيب"), ("هجوم", "هجره"), ("دوله", "دولار")];

#[test]
fn arabic_words_that_look_alike_stay_apart() {
    stay_apart(Language::Arabic, ARABIC_APART);
}

#[test]
fn other_languages_are_stemmed_as_folded() {
    for (language, rows) in [
        (Language::German, &["angriff angriffe angriffen", "soldner soldners"][..]),
        (
            Language::Spanish,
            &["atacar ataco atacaron", "accion acciones", "retirar retiro retiraron retirada"],
        ),
        (Language::Portuguese, &["atacar atacou atacaram", "acao acoes"]),
        (Language::Italian, &["attacco attacchi", "attaccare attaccato"]),
        (Language::Dutch, &["soldaat soldaten"]),
        (Language::Romanian, &["soldat soldati"]),
        (Language::Turkish, &["asker askerler"]),
        (Language::Greek, &["επιθεση επιθεσεισ"]),
    ] {
        meet(language, rows);
    }
}

/// Snowball merges these, or folding made one word of two; nobody reads them as forms of one another.
#[test]
fn known_wrong_answers() {
    for (language, a, b) in [
        (Language::English, "intern", "international"),
        (Language::French, "parti", "partir"),
        (Language::French, "port", "porte"),
        (Language::Russian, "золото", "золотой"),
        // Dutch doubled consonants and the ı of Turkish would have to be put back to meet; here they do not.
    ] {
        assert!(is_form_of(language, a, b), "{a} and {b} no longer meet: move them to the table above");
    }
    assert!(!is_form_of(Language::Dutch, "aanval", "aanvallen"), "doubled consonants are undone now");
    assert!(!is_form_of(Language::Turkish, "saldiri", "saldirilar"), "the ı that became i is known now");
}

#[test]
fn what_is_no_word_of_the_language_is_its_own_stem() {
    let long = "a".repeat(LETTERS_MAX + 1);
    for (language, word) in [
        (Language::English, ""),
        (Language::English, "x"),
        (Language::English, "t90s"),
        (Language::English, "вагнеры"),
        (Language::Russian, "attacks"),
        (Language::Arabic, "attacks"),
        (Language::English, long.as_str()),
    ] {
        assert_eq!(filed(language, word), [word], "{language:?}");
    }
}

#[test]
fn a_tag_names_its_language() {
    for (tag, expected) in [
        ("fr", Some(Language::French)),
        ("fr-CA", Some(Language::French)),
        ("FR_fr", Some(Language::French)),
        ("ar", Some(Language::Arabic)),
        ("fra", None),
        ("zh", None),
        ("", None),
    ] {
        assert_eq!(Language::from_tag(tag), expected, "{tag}");
    }
    for language in Language::ALL {
        assert_eq!(Language::from_tag(language.tag()), Some(language));
    }
}

fn check(word: &str) -> Result<(), TestCaseError> {
    for language in Language::ALL {
        let stems = filed(language, word);
        prop_assert!((1..=STEMS_MAX).contains(&stems.len()), "{:?}", stems);
        prop_assert!(word.is_empty() || stems.iter().all(|stem| !stem.is_empty()), "{:?}", stems);
        prop_assert!(is_form_of(language, word, word));
    }
    Ok(())
}

proptest! {
    #[test]
    fn anything_can_be_asked_for(word in any::<String>()) {
        check(&word)?;
    }

    #[test]
    fn any_word_can_be_stemmed(word in "[a-z]{1,42}|[a-zà-ɏ]{1,20}|\\p{Cyrillic}{1,42}|\\p{Arabic}{1,42}|\\p{Greek}{1,42}") {
        check(&word)?;
    }

    /// Endings that the stemmers look for, on anything.
    #[test]
    fn any_ending_can_be_taken_off(word in "[а-я]{0,4}(ен|енн|ованн|ующ|ов|ец)(ый|ых|а|ами|ся)?|[aeiouyqu]{0,4}(iss|erent|ations?|eux|ment|i?ees?|led|ies)|[ايو]?[ء-ي]{0,4}(ات|ون|ها|وا|ت)") {
        check(&word)?;
    }
}
