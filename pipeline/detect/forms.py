"""Lemmas to their inflected forms, so that a lexicon names `impose` and the text may say `imposing`.

The tagger of a small model errs on headlines, and a rule-based lemmatiser costs a tenth of the parse. Going from the few
lemmas of the lexicon to their forms, once, is exact and free at run time.
"""

from __future__ import annotations

from typing import Final

VOWELS: Final = frozenset("aeiou")


def words(text: str) -> frozenset[str]:
    """Words separated by spaces in, the set of them out: how long word lists are written in this package."""
    return frozenset(text.split())


IRREGULAR: Final[dict[str, tuple[str, str]]] = {
    "arise": ("arose", "arisen"), "be": ("was", "been"), "beat": ("beat", "beaten"), "become": ("became", "become"),
    "begin": ("began", "begun"), "bid": ("bid", "bid"), "bind": ("bound", "bound"), "bite": ("bit", "bitten"),
    "bleed": ("bled", "bled"), "blow": ("blew", "blown"), "break": ("broke", "broken"), "bring": ("brought", "brought"),
    "build": ("built", "built"), "burn": ("burned", "burned"), "burst": ("burst", "burst"), "buy": ("bought", "bought"),
    "cast": ("cast", "cast"), "catch": ("caught", "caught"), "choose": ("chose", "chosen"), "come": ("came", "come"),
    "cost": ("cost", "cost"), "cut": ("cut", "cut"), "deal": ("dealt", "dealt"), "do": ("did", "done"),
    "bear": ("bore", "borne"), "bend": ("bent", "bent"), "breed": ("bred", "bred"), "dig": ("dug", "dug"),
    "grow": ("grew", "grown"), "kneel": ("knelt", "knelt"), "light": ("lit", "lit"), "sling": ("slung", "slung"),
    "wear": ("wore", "worn"),
    "draw": ("drew", "drawn"), "drive": ("drove", "driven"), "eat": ("ate", "eaten"), "fall": ("fell", "fallen"),
    "feed": ("fed", "fed"), "feel": ("felt", "felt"), "fight": ("fought", "fought"), "find": ("found", "found"),
    "flee": ("fled", "fled"), "fling": ("flung", "flung"), "fly": ("flew", "flown"), "forbid": ("forbade", "forbidden"),
    "foresee": ("foresaw", "foreseen"), "forgive": ("forgave", "forgiven"), "forgo": ("forwent", "forgone"),
    "freeze": ("froze", "frozen"), "get": ("got", "gotten"), "give": ("gave", "given"), "go": ("went", "gone"),
    "hang": ("hanged", "hanged"), "have": ("had", "had"), "hear": ("heard", "heard"), "hide": ("hid", "hidden"),
    "hit": ("hit", "hit"), "hold": ("held", "held"), "hurt": ("hurt", "hurt"), "keep": ("kept", "kept"),
    "know": ("knew", "known"), "lay": ("laid", "laid"), "lead": ("led", "led"), "leave": ("left", "left"),
    "lend": ("lent", "lent"), "let": ("let", "let"), "lie": ("lied", "lied"), "lose": ("lost", "lost"),
    "make": ("made", "made"), "mean": ("meant", "meant"), "meet": ("met", "met"), "offset": ("offset", "offset"),
    "overrun": ("overran", "overrun"), "oversee": ("oversaw", "overseen"), "overthrow": ("overthrew", "overthrown"),
    "override": ("overrode", "overridden"), "pay": ("paid", "paid"), "put": ("put", "put"), "quit": ("quit", "quit"),
    "read": ("read", "read"), "rebuild": ("rebuilt", "rebuilt"), "retake": ("retook", "retaken"),
    "rethink": ("rethought", "rethought"), "ride": ("rode", "ridden"), "ring": ("rang", "rung"), "rise": ("rose", "risen"),
    "run": ("ran", "run"), "say": ("said", "said"), "see": ("saw", "seen"), "seek": ("sought", "sought"),
    "sell": ("sold", "sold"), "send": ("sent", "sent"), "set": ("set", "set"), "shake": ("shook", "shaken"),
    "shed": ("shed", "shed"), "shoot": ("shot", "shot"), "show": ("showed", "shown"), "shut": ("shut", "shut"),
    "sink": ("sank", "sunk"), "sit": ("sat", "sat"), "slay": ("slew", "slain"), "speak": ("spoke", "spoken"),
    "spend": ("spent", "spent"), "split": ("split", "split"), "spread": ("spread", "spread"),
    "spring": ("sprang", "sprung"), "stand": ("stood", "stood"), "steal": ("stole", "stolen"),
    "stick": ("stuck", "stuck"), "strike": ("struck", "stricken"), "swear": ("swore", "sworn"),
    "sweep": ("swept", "swept"), "take": ("took", "taken"), "teach": ("taught", "taught"), "tear": ("tore", "torn"),
    "tell": ("told", "told"), "think": ("thought", "thought"), "throw": ("threw", "thrown"),
    "undergo": ("underwent", "undergone"), "unfreeze": ("unfroze", "unfrozen"), "understand": ("understood", "understood"),
    "undertake": ("undertook", "undertaken"), "uphold": ("upheld", "upheld"), "win": ("won", "won"),
    "withdraw": ("withdrew", "withdrawn"), "withhold": ("withheld", "withheld"), "write": ("wrote", "written"),
}  # fmt: skip
"""Lemma -> (past, past participle)."""

ALSO: Final[dict[str, tuple[str, ...]]] = {
    "be": ("is", "are", "am", "were", "being", "'s", "'re", "’s"), "have": ("has", "having", "'ve"),
    "strike": ("struck",), "burn": ("burnt",), "lie": ("lying",), "speed": ("sped", "speeded"), "plead": ("pleaded", "pled"),
    "shell": (), "die": ("dying", "died", "dies"), "tie": ("tying", "ties", "tied"), "learn": ("learnt",),
}  # fmt: skip

DOUBLING: Final = words(
    "abet annul lob gun abhor admit allot ban bar beg blur bug bus cap chat commit compel concur confer control defer deter "
    "dim dip drag drop emit equip expel fan fit gag get grab grip hit hop incur infer jam kidnap knit let mob "
    "nab net nod occur omit patrol pet pin plan plot plug permit prefer program prop propel put quit quip rap "
    "rebut recur refer regret rehabit rid rig rip rob rub run scan scrap set ship shed shop shut sit skip slam "
    "slap slip slot snap spot stab star stem step stir stop strip submit sum swap tap tip trap top transfer "
    "airdrop bag clog club dig eavesdrop extol flog fulfil gas gut hem man map outfit outgun pen prod ram readmit rebel refit "
    "remit repel reset shred shrug shun slit snub spar thin trek trim unban transmit tug unwrap upset wed wrap whip win wiretap"
)  # fmt: skip
"""Verbs that double their last consonant before -ed and -ing."""

BRITISH: Final = words(
    "backpedal channel funnel marshal pummel cancel fuel label level model "
    "quarrel shovel signal total travel tunnel counsel dispel"
)
"""Verbs that are written both ways: cancelled, canceled."""

PLURALS: Final = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "gunman": "gunmen", "policeman": "policemen",
    "serviceman": "servicemen", "crisis": "crises", "half": "halves", "thief": "thieves", "life": "lives",
    "militiaman": "militiamen", "congressman": "congressmen", "spokesman": "spokesmen", "foot": "feet", "analysis": "analyses",
    "aircraft": "aircraft", "personnel": "personnel", "police": "police", "people": "people", "knife": "knives",
}  # fmt: skip


PASTS: Final = frozenset(past for lemma, (past, _) in IRREGULAR.items() if past != lemma) - words(
    "bore bound cast cost cut fell felt found ground hit hurt knelt laid "
    "lay left lit lost met put read rose saw shed shot spoke stood won "
    "wound"
)
"""Irregular forms of the past that are hardly ever anything else: retook, overran, withdrew."""


def noun_forms(lemma: str) -> frozenset[str]:
    """A noun in, its singular and plural out."""
    if lemma in PLURALS:
        return frozenset((lemma, PLURALS[lemma]))
    if lemma.endswith(("s", "x", "z", "ch", "sh")):
        return frozenset((lemma, lemma + "es"))
    if lemma.endswith("y") and lemma[-2:-1] not in VOWELS:
        return frozenset((lemma, lemma[:-1] + "ies"))
    if lemma.endswith("o"):  # embargoes, embargos
        return frozenset((lemma, lemma + "s", lemma + "es"))
    return frozenset((lemma, lemma + "s"))


def verb_forms(lemma: str) -> frozenset[str]:
    """A verb in, all of its forms out: base, third person, past, participles."""
    forms = {lemma, _third(lemma), *_ing(lemma), *ALSO.get(lemma, ())}
    if lemma in IRREGULAR:
        forms.update(IRREGULAR[lemma])
    else:
        base, separator, rest = lemma.partition("-")
        if separator and rest in IRREGULAR:  # re-elect is regular, re-take is not
            forms.update(f"{base}-{form}" for form in IRREGULAR[rest])
        else:
            forms.update(_past(lemma))
    return frozenset(forms)


def _third(lemma: str) -> str:
    if lemma.endswith(("s", "x", "z", "ch", "sh", "o")):
        return lemma + "es"
    if lemma.endswith("y") and lemma[-2:-1] not in VOWELS:
        return lemma[:-1] + "ies"
    return lemma + "s"


def _ing(lemma: str) -> set[str]:
    if lemma in BRITISH:
        return {lemma + "ing", lemma + lemma[-1] + "ing"}
    if lemma in DOUBLING:
        return {lemma + lemma[-1] + "ing"}
    if lemma.endswith("e") and not lemma.endswith(("ee", "oe", "ye")):
        return {lemma[:-1] + "ing"}
    return {lemma + "ing"}


def _past(lemma: str) -> set[str]:
    if lemma in BRITISH:
        return {lemma + "ed", lemma + lemma[-1] + "ed"}
    if lemma in DOUBLING:
        return {lemma + lemma[-1] + "ed"}
    if lemma.endswith("e"):
        return {lemma + "d"}
    if lemma.endswith("y") and lemma[-2:-1] not in VOWELS:
        return {lemma[:-1] + "ied"}
    return {lemma + "ed"}
