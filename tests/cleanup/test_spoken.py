"""What is said for signs, line breaks, edits and nothing at all, and what comes of it."""

from pathlib import Path

import pytest

from vivavoce.actors.cleanup import Cleaner
from vivavoce.actors.cleanup.language_rules import language_rules, shipped_languages
from vivavoce.actors.cleanup.spoken import Spoken
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.pipeline.messages import Final, Revision

SPOKEN = {
    "spoken_punctuation": True,
    "spoken_layout": True,
    "spoken_edits": True,
    "fillers": True,
}
CLEANER = Cleaner(CleanupSettings(**SPOKEN))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("hello comma how are you question mark", "Hello, how are you?"),
        ("stop exclamation point go on period fine", "Stop! Go on. Fine"),
        ("Hello, comma, how are you?", "Hello, how are you?"),
        ("Hello. Comma. How are you?", "Hello, how are you?"),
        ("Hello. Comma. John is here.", "Hello, John is here."),
        ("It is done, full stop. Next.", "It is done. Next."),
        ("really? Exclamation mark!", "Really!"),
        ("wait exclamation mark exclamation mark", "Wait!!"),
        ("he said open quote hello there close quote period", 'He said "hello there".'),
        ("He said, open quote, hello, close quote. And left.", 'He said, "hello". And left.'),
        ("so open parenthesis I think close parenthesis yes", "So (I think) yes"),
        ("a well hyphen known fact dash really", "A well-known fact – really"),
        ("the dog apostrophe s tail", "The dog's tail"),
        ("one semi-colon two semicolon three", "One; two; three"),
        ("mail me at sign example dot com", "Mail me@example.com"),
        ("plan B period next", "Plan B. Next"),
        ("apples, etc. comma and pears", "Apples, etc., and pears"),
        ("Etc. Period. Next.", "Etc. Next."),
        ("see e.g. comma this", "See e.g., this"),
        ("in the U.S. question mark", "In the U.S.?"),
        ("question mark", "?"),
        ("open quote", '"'),
    ],
)
def test_signs(said: str, meant: str) -> None:
    assert CLEANER.text(said) == meant


@pytest.mark.parametrize(
    "text",
    [
        "A comma is a sign",
        "Comma-separated values, uh-huh",
        "Add a comma before the semicolon",
        "He went to the ER on ER night",
        "See comma.example or /comma or me@comma",
        "A period of time",
        "He had colon cancer",
        "They are commas and periods, hyphenated",
        "I'd never scratch that itch",
        "They start a new line of products",
        "What a nice cap on his head",
        "His colon was removed",
        "During this period we worked",
        "In that period sales rose",
        "Her period was late",
    ],
)
def test_words_that_are_meant_as_words_stay(text: str) -> None:
    assert CLEANER.text(text) == text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("a literal comma here", "A comma here"),
        ("say literal new line now", "Say new line now"),
        ("he wrote literal scratch that", "He wrote scratch that"),
        ("a literal truth", "A literal truth"),
    ],
)
def test_a_word_makes_a_command_a_plain_word(said: str, meant: str) -> None:
    assert CLEANER.text(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("dear John comma new line thank you", "Dear John,\nthank you"),
        ("Dear John, new line, thanks", "Dear John\nthanks"),
        ("It is done. New line. The end.", "It is done.\nThe end."),
        ("one new paragraph two", "One\n\nTwo"),
        ("new line and so on", "\nAnd so on"),
        ("and so on new line", "And so on\n"),
        ("new paragraph", "\n\n"),
        ("one new line new line two", "One\n\ntwo"),
        ("first new line comma then", "First\n, then"),
    ],
)
def test_line_breaks(said: str, meant: str) -> None:
    assert CLEANER.text(said) == meant


def test_line_breaks_of_the_engine_are_spaces_and_only_those_that_are_spoken_stay() -> None:
    assert CLEANER.text("one\ntwo  new line \r\n three") == "One two\nthree"
    assert Cleaner(CleanupSettings()).text("one\ntwo") == "One two"


def test_a_replacement_may_have_line_breaks_where_layout_is_spoken() -> None:
    table = {"best wishes": "Best wishes,\nAda"}
    on = Cleaner(CleanupSettings(replacements=table, spoken_layout=True))
    assert on.text("thanks best wishes") == "Thanks Best wishes,\nAda"
    off = Cleaner(CleanupSettings(replacements=table))
    assert off.text("thanks best wishes") == "Thanks Best wishes, Ada"


@pytest.mark.parametrize(
    ("said", "meant", "retracts"),
    [
        ("it is late scratch that it is early", "It is early", 0),
        ("It is late. We go home, scratch that. We stay.", "It is late. We stay.", 0),
        ("It is late. We go. Scratch that.", "It is late.", 0),
        ("one period two scratch that three", "One. Three", 0),
        ("one new line two scratch that three", "One\nthree", 0),
        ("one new line scratch that two", "One two", 0),
        ("scratch that", "", 1),
        ("Scratch that. Undo that. And then", "And then", 2),
        ("one scratch that scratch that", "", 1),
        ("Hello. Scratch that scratch that", "", 1),
        ("um scratch that", "", 1),
        ("scratch that new line hello", "\nHello", 1),
        ("scratch that that itch", "Scratch that that itch", 0),
        ("twenty five scratch that thirty", "Thirty", 0),
        ("the and scratch that the end full stop", "The end.", 0),
        ("nothing of it", "Nothing of it", 0),
    ],
)
def test_what_is_taken_back(said: str, meant: str, retracts: int) -> None:
    assert CLEANER.cleaned(said) == (meant, retracts)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Scratch that itch"),
        ("en", "Undo that change"),
        ("en", "Scratch that hello"),
        ("en", "Let's scratch that idea"),
        ("en", "Let’s scratch that"),
        ("en", "We could just scratch that."),
        ("en", "Strike that from the record"),
        ("de", "Lösch das Licht"),
        ("de", "Ich gehe und streich das Zimmer"),
        ("de", "Das streichen wir"),
        ("de", "Wir müssen das streichen."),
        ("de", "Das ist rückgängig zu machen"),
        ("fr", "Il efface ça."),
        ("es", "Borra eso que dijiste"),
    ],
)
def test_ordinary_sentences_take_nothing_back(language: str, text: str) -> None:
    assert CLEANER.cleaned(text, language) == (text, 0)


def test_a_final_tells_how_many_before_it_are_taken_back() -> None:
    final = CLEANER.whole(Final(utterance=1, start=0, end=1, text="Scratch that."))
    assert (final.text, final.retracts) == ("", 1)
    final = CLEANER.whole(Final(utterance=1, start=0, end=1, text="No, scratch that. Yes."))
    assert (final.text, final.retracts) == ("Yes.", 0)
    revision = CLEANER.whole(Revision(utterance=1, text="Scratch that. Yes."))
    assert revision.text == "Yes."


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("an all caps important thing", "An IMPORTANT thing"),
        ("All caps, hello, there", "HELLO, there"),
        ("so all caps on do not enter all caps off please", "So DO NOT ENTER please"),
        ("all caps on and no end", "AND NO END"),
        ("ask cap bob today", "Ask Bob today"),
        ("caps on the lord of the rings caps off is long", "The Lord Of The Rings is long"),
        ("lower case Hello there", "hello there"),
        ("the end period lowercase Hello", "The end. hello"),
        ("all caps new line hello you", "\nHELLO you"),
        ("all caps", "All caps"),
        ("a bottle cap.", "A bottle cap."),
        ("the bottle cap is red", "The bottle cap is red"),
    ],
)
def test_case(said: str, meant: str) -> None:
    assert CLEANER.text(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("um so I think", "So I think"),
        ("I, um, think so", "I think so"),
        ("I um, think so", "I think so"),
        ("Apples, um and pears", "Apples, and pears"),
        ("I think so, uh.", "I think so."),
        ("Is it, er?", "Is it?"),
        ("Yes. Um. No.", "Yes. No."),
        ("Uhm... well", "Well"),
        ("I, um, uh, hmm, know", "I know"),
        ("hello um comma how are you", "Hello, how are you"),
        ("hello comma um and so", "Hello, and so"),
        ("um", ""),
        ("Um. Uh. Hmm.", ""),
        ('"um hello"', '"Hello"'),
        ("umbrella and error", "Umbrella and error"),
    ],
)
def test_fillers(said: str, meant: str) -> None:
    assert CLEANER.text(said) == meant


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "A 3.5 mm jack and 5 um of it"),
        ("en", "To err is human"),
        ("en", "How many mm is it"),
        ("de", "Er stieg 5 hm auf"),
        ("es", "5 mm de lluvia y 2 em de sangría"),
    ],
)
def test_units_and_verbs_are_no_fillers(language: str, text: str) -> None:
    assert CLEANER.text(text, language) == text


def test_a_sound_that_is_also_a_unit_goes_where_it_stands_apart() -> None:
    assert CLEANER.text("mm") == CLEANER.text("Mm, mm.") == ""
    assert CLEANER.text("Mm, yes. I, mm, think so") == "Yes. I think so"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Mit Punkt und Komma"),
        ("de", "Punkt für Punkt"),
        ("de", "Mach die Klammer zu"),
        ("de", "Dieser Punkt, der zweite Punkt und ein wichtiger Punkt"),
        ("fr", "J'ai souligné que oui"),
        ("fr", "Je pense à la ligne éditoriale"),
        ("fr", "Nous avons deux points d'avance"),
        ("fr", "C'est minuscule quoi"),
        ("fr", "Point mort"),
        ("es", "Tiene dos puntos"),
        ("es", "Ganó dos puntos más"),
        ("es", "Era minúscula la casa"),
        ("es", "Estado de coma"),
        ("es", "Hasta qué punto, hasta tal punto, ese punto"),
    ],
)
def test_names_of_signs_in_ordinary_sentences_stay(language: str, text: str) -> None:
    assert CLEANER.text(text, language) == text


def test_a_command_in_a_phrase_of_the_users_own_is_a_word() -> None:
    settings = CleanupSettings(
        **SPOKEN, vocabulary=["Dash Labs"], replacements={"the new line item": "X", "colon": "kern"}
    )
    cleaner = Cleaner(settings)
    assert cleaner.text("dash labs dash yes") == "Dash Labs – yes"
    assert cleaner.text("see the new line item new line colon") == "See X\nkern"


def test_a_filler_can_be_meant_as_a_word_beside_others(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("fillers: {like: {say: [like], not_after: [i, would], not_before: [a]}}\n")
    cleaner = Cleaner(CleanupSettings(fillers=True, rules=str(path)))
    assert cleaner.text("i like it, like, it is like really like a dog") == (
        "I like it it is really like a dog"
    )


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("de", "hallo Komma wie geht es Fragezeichen", "Hallo, wie geht es?"),
        ("de", "er sagte Anführungszeichen auf ja Anführungszeichen zu Punkt", "Er sagte „ja“."),
        ("de", "liebe Anna Komma neue Zeile ähm danke", "Liebe Anna,\ndanke"),
        ("de", "das stimmt nicht streich das, es stimmt", "Es stimmt"),
        ("fr", "bonjour virgule ça va point d'interrogation", "Bonjour, ça va ?"),
        ("de", "das ist gut Punkt und dann", "Das ist gut. Und dann"),
        ("fr", "les voici deux points pain virgule lait", "Les voici : pain, lait"),
        ("fr", "c'est un point de vue point", "C'est un point de vue."),
        ("fr", "il dit ouvrez les guillemets oui fermez les guillemets", "Il dit « oui »"),
        ("fr", "euh merci nouveau paragraphe au revoir", "Merci\n\nAu revoir"),
        ("es", "hola coma qué tal punto", "Hola, qué tal."),
        ("es", "abrir interrogación vienes cerrar interrogación", "¿Vienes?"),
        ("es", "toma nota dos puntos pan", "Toma nota: pan"),
        ("es", "eh gracias punto y aparte adiós", "Gracias.\n\nAdiós"),
        ("pl", "ala ma comma kota", "Ala ma comma kota"),
        ("en-US", "yes comma no", "Yes, no"),
        ("", "yes comma no", "Yes, no"),
    ],
)
def test_languages(language: str, said: str, meant: str) -> None:
    assert CLEANER.text(said, language) == meant


@pytest.mark.parametrize("language", shipped_languages())
def test_every_phrase_of_every_language_is_heard_and_belongs_to_one_rule(language: str) -> None:
    rules = language_rules(language)
    spoken = rules.of("punctuation", "layout", "edits", "fillers")
    run = Spoken(spoken, rules).run
    owner: dict[str, str] = {}
    for rule in spoken:
        for phrase in rule.say:
            assert owner.setdefault(phrase, rule.name) == rule.name, phrase
            steps: list[object] = []
            mark = "," if rule.apart else ""
            run(f"xyzzy{mark} {phrase}{mark} Xyzzy", steps.append)  # type: ignore[arg-type]
            assert [step.rule for step in steps] == [rule.name]  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", shipped_languages())
def test_every_language_has_the_rules_that_a_text_needs(language: str) -> None:
    names = {rule.name for rule in language_rules(language).rules}
    signs = "comma full_stop question_mark exclamation_mark colon semicolon ellipsis dash hyphen "
    signs += "apostrophe open_quote close_quote open_parenthesis close_parenthesis"
    assert {f"punctuation.{sign}" for sign in signs.split()} <= names
    assert {"layout.new_line", "layout.new_paragraph", "edits.scratch_that"} <= names
    assert {"edits.all_caps", "edits.cap", "edits.lower_case", "units.percent"} <= names
    assert {name.partition(".")[0] for name in names} >= {"fillers", "units", "profanity"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("spoken_punctuation", "Yes comma no"),
        ("spoken_layout", "Yes new line no"),
        ("spoken_edits", "Yes scratch that no"),
        ("fillers", "Yes um no"),
    ],
)
def test_each_stage_is_off_unless_it_is_on(setting: str, said: str) -> None:
    assert Cleaner(CleanupSettings()).text(said) == said
    assert Cleaner(CleanupSettings(**{**SPOKEN, setting: False})).text(said) == said
    assert Cleaner(CleanupSettings(**{setting: True})).text(said) != said
