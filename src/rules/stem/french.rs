//! French: endings whose accents folding took away, the third person plural, and irregular verbs.

use super::families::Family;

/// Folded endings and how they were written when they end a form of a verb.
///
/// `-e` and `-es` for `-é` and `-és` are among them only after `i` and `y`: else the stem is the same.
const ACCENTED: [(&str, &str); 7] = [
    ("ees", "ées"),
    ("ee", "ée"),
    ("ies", "iés"),
    ("ie", "ié"),
    ("yes", "yés"),
    ("ye", "yé"),
    ("erent", "èrent"),
];

/// Endings that Snowball takes for a future or conditional in `-ir` when they follow `ir`: `retirait`.
const AFTER_IR: [&str; 3] = ["a", "ait", "aient"];

/// Letters before `ent` of a verb at least: `quittent`, not `agent`.
const ROOT_LETTERS_MIN: usize = 4;

/// Nouns and adjectives that end like the third person plural of a verb, by the letters before `ent`.
const NOT_PLURAL: [&str; 32] = [
    "accid", "adher", "adolesc", "concurr", "contin", "delinqu", "differ", "effici", "equival", "evid",
    "excell", "expedi", "frequ", "impati", "impud", "incid", "innoc", "intellig", "occid", "pati", "perman",
    "preced", "pres", "presid", "prud", "resid", "souv", "torr", "transpar", "tang", "viol", "consci",
];

/// Further readings of a word: with the accents that its ending may have had, as a verb in `-irer`, and as a
/// third person plural, which Snowball leaves as it is.
pub(super) fn readings(word: &str, each: &mut dyn FnMut(&str)) {
    for (folded, accented) in ACCENTED {
        if let Some(root) = word.strip_suffix(folded) {
            each(&format!("{root}{accented}"));
            break;
        }
    }
    if let Some(root) = word.strip_suffix("ent")
        && root.len() >= ROOT_LETTERS_MIN
        // Adverbs and nouns in `-ment`; the few verbs among them are listed below.
        && !root.ends_with('m')
        && !NOT_PLURAL.contains(&root)
    {
        let ending = if root.ends_with('i') { "é" } else { "e" };
        each(&format!("{root}{ending}"));
    }
    let root =
        AFTER_IR.iter().find_map(|ending| word.strip_suffix(ending)).filter(|root| root.ends_with("ir"));
    if let Some(root) = root {
        each(&format!("{root}er"));
    }
}

/// Verbs whose forms Snowball does not lead to their infinitive. Left out where a form mostly is another word:
/// `mort` (mourir), `pendant` (pendre), `pouvoir`, which is power more often than can.
pub(super) const FAMILIES: &[Family] = &[
    (
        "pr repr surpr entrepr compr appr",
        "endre ends end ennent is ise ises enait enaient enant endra endront endrait it irent enne",
    ),
    (
        "m rem transm prom perm soum adm comm dem em om comprom",
        "ettre ets et ettent is ise ises ettait ettaient ettant ettra ettront ettrait it irent ette",
    ),
    (
        "t ret obt maint det sout cont abst v interv rev dev parv prev conv surv prov",
        "enir iens ient iennent enu enue enus enues enait enaient enant iendra iendront iendrait int inrent ienne",
    ),
    (
        "per ren ven enten atten suspen defen descen repan fon confon repon ten eten preten depen mor tor \
         correspon",
        "dre ds d dent du due dus dues dait daient dant dra dront drait dit dirent de",
    ),
    (
        "interr r corr",
        "ompre omps ompt ompent ompu ompue ompus ompues ompait ompaient ompant ompra ompront ompit ompirent ompe",
    ),
    (
        "b ab comb reb deb",
        "attre ats at attent attu attue attus attues attait attaient attant attra attront attrait attit \
         attirent atte",
    ),
    (
        "detr constr instr reconstr recond cond prod introd red trad ded sed",
        "uire uis uit uisent uite uits uites uisait uisaient uisant uira uiront uirait uisit uisirent uise",
    ),
    (
        "conqu acqu requ reconqu",
        "erir iers iert ierent is ise ises erait eraient erant erra erront errait it irent iere",
    ),
    ("el reel", "ire is it isent u ue us ues isait isaient isant ira iront irait urent ise"),
    ("l rel", "ire it isent u ue us ues isait isaient isant"),
    ("f enf", "uir uis uit uient ui uie uis uies uyait uyaient uyant uira uiront uirait uirent uie"),
    ("m", "ourir eurs eurt eurent ourait ouraient ourant ourra ourront ourrait ourut oururent eure"),
    (
        "c acc conc enc disc parc rec sec",
        "ourir ours ourt ourent ouru ourue ourus ourait ouraient ourant ourra ourront ourut oururent",
    ),
    (
        "ouv couv rouv decouv recouv off souff",
        "rir re res rent ert erte erts ertes rait raient rant rira riront rirait rit rirent",
    ),
    (
        "inscr decr prescr souscr proscr ecr reecr",
        "ire is it ivent ite its ites ivait ivaient ivant ira iront ivit ivirent ive",
    ),
    (
        "d red interd pred contred",
        "ire is it isent ite its ites isait isaient isant ira iront irait irent ise",
    ),
    ("- re sur", "vivre vis vit vivent vecu vecue vecus vivait vivaient vivant vivra vivront vecut vecurent"),
    (
        "- pour",
        "suivre suit suivent suivi suivie suivis suivies suivait suivaient suivant suivra suivit suivirent",
    ),
    (
        "re de per con",
        "cevoir cois coit coivent cu cue cus cues cevait cevaient cevant cevra cevront cut curent",
    ),
    ("- re entre", "voir vois voit voient vu vue vus vues voyait voyaient voyant verra verront vit virent"),
    (
        "- re satis",
        "faire fais fait font faite faits faites faisait faisaient faisant fera feront ferait fit firent fasse",
    ),
    ("- ap", "paraitre parait paraissent paru parue paraissait paraissant paraitra parut parurent"),
    ("comp disp", "araitre arait araissent aru arue arus arues araissait araissant araitra arut arurent"),
    ("con recon mecon", "naitre nait naissent nu nue nus nues naissait naissant naitra nut nurent"),
    (
        "att et restr",
        "eindre eint einte eints eintes eignent eignait eignaient eignant eindra eindront eignit eignirent",
    ),
    ("cr pl contr", "aindre aint ainte aints aintes aignent aignait aignaient aignant aindra aignit"),
    (
        "j rej adj enj",
        "oindre oint ointe oints ointes oignent oignait oignaient oignant oindra oignit oignirent",
    ),
    ("v conv", "aincre aincu aincue aincus aincues ainquent ainquait ainquant aincra ainquit ainquirent"),
    ("ass", "aillir aille aillent ailli aillie aillis aillies aillait aillaient aillant aillit aillirent"),
    ("diss abs res", "oudre out olvent ous oute olu olue olvait olvant oudra"),
    ("concl excl incl", "ure ut uent u ue us ues uait uaient uant ura uront urent"),
    ("- r", "envoyer enverra enverront enverrait"),
    ("t", "uer uent"),
    (
        "affir confir for fer ar desar esti expri suppri nom assom consom recla procla decla enta alar",
        "mer ment",
    ),
];

/// Words that folding or Snowball takes for forms of others (`armée` for `arme`): each row has one stem of
/// its own.
pub(super) const APART: &[Family] = &[("arm ann contr", "ee ees")];
