"""Words for types of machines in five languages. Edit this table to teach a new word."""

from collections.abc import Mapping

from cnc_station.engine.domain.tables.plain_text import folded, split_words

_WORDS: Mapping[str, str] = {
    "mill": "mill, mills, milling, milling machine, milling center, cnc mill, cnc milling, vmc, "
    "hmc, machining center, machining centre, fräse, fräsen, fräsmaschine, cnc fräsen, "
    "fräszentrum, bearbeitungszentrum, baz, fraisage, fraiseuse, centre d usinage, fresado, "
    "fresadora, centro de mecanizado, fresatura, fresatrice, fresa, centro di lavoro",
    "lathe": "lathe, lathes, turning, turning center, turning centre, cnc lathe, cnc turning, "
    "drehen, drehmaschine, drehbank, cnc drehen, drehzentrum, tour, tournage, tour cnc, "
    "centre de tournage, torno, torneado, tornio, tornitura",
    "drill": "drill, drilling, drill press, bohren, bohrmaschine, bohrwerk, perçage, perceuse, "
    "taladro, taladrado, trapano, foratura",
    "router": "router, routing, oberfräse, défonceuse, fresadora router",
    "saw": "saw, sawing, band saw, säge, sägen, bandsäge, scie, sciage, sierra, aserrado, sega, "
    "segatrice, taglio",
    "grinder": "grinder, grinding, schleifen, schleifmaschine, rectification, rectifieuse, "
    "rectificado, rectificadora, rettifica, rettificatrice",
    "laser": "laser, laser cutting, laserschneiden, découpe laser, corte láser, taglio laser",
}
_TYPES = {folded(word): kind for kind, words in _WORDS.items() for word in split_words(words)}


def machine_type_of(text: str) -> str:
    """Return the type of machine that a word stands for; the text itself for any other."""
    return _TYPES.get(folded(text), text)
