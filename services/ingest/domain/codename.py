"""The name a confidential contributor goes by: always the same for one person, and it leads to nobody."""

from __future__ import annotations

import hashlib
import hmac

# The lists are part of the names: a word added, removed or moved renames everybody.
_FIRST = (
    *("Amber", "Ample", "Ardent", "Autumn", "Azure", "Bold", "Brave", "Breezy", "Bright", "Brisk", "Bronze"),
    *(
        "Calm",
        "Candid",
        "Cheery",
        "Civil",
        "Clear",
        "Clever",
        "Coastal",
        "Copper",
        "Coral",
        "Cosy",
        "Crimson",
    ),
    *("Crisp", "Curious", "Daring", "Dawn", "Deft", "Eager", "Early", "Earnest", "Easy", "Ebony", "Fabled"),
    *("Fair", "Fleet", "Floral", "Fond", "Frank", "Fresh", "Frosty", "Gentle", "Gilded", "Glad", "Golden"),
    *("Grand", "Hardy", "Hazel", "Hearty", "Hidden", "Honest", "Humble", "Indigo", "Ivory", "Jade", "Jolly"),
    *("Keen", "Kind", "Lively", "Loyal", "Lucid", "Lucky", "Lunar", "Maple", "Merry", "Mild", "Mindful"),
    *("Misty", "Modest", "Neat", "Nimble", "Noble", "Ochre", "Olive", "Opal", "Patient", "Pearl", "Placid"),
    *("Plucky", "Polar", "Proud", "Quick", "Quiet", "Rapid", "Ready", "Rosy", "Ruby", "Russet", "Sage"),
    *(
        "Scarlet",
        "Serene",
        "Sharp",
        "Silent",
        "Silver",
        "Sincere",
        "Solar",
        "Spry",
        "Steady",
        "Still",
        "Stout",
    ),
    *("Summer", "Sunny", "Swift", "Tidy", "Topaz", "Tranquil", "Trusty", "Velvet", "Vivid", "Warm", "Wise"),
)
_SECOND = (
    *(
        "Acorn",
        "Alder",
        "Anchor",
        "Antelope",
        "Aspen",
        "Aster",
        "Badger",
        "Bamboo",
        "Beacon",
        "Beaver",
        "Beech",
    ),
    *("Birch", "Bison", "Bluebell", "Bramble", "Brook", "Canyon", "Cedar", "Chestnut", "Cliff", "Clover"),
    *("Comet", "Compass", "Condor", "Cormorant", "Crane", "Curlew", "Cypress", "Dahlia", "Delta", "Dolphin"),
    *(
        "Dove",
        "Dune",
        "Elder",
        "Elm",
        "Falcon",
        "Fern",
        "Finch",
        "Fjord",
        "Forest",
        "Fox",
        "Gazelle",
        "Glacier",
    ),
    *("Grove", "Gull", "Harbour", "Hare", "Hawk", "Hawthorn", "Heath", "Hedgehog", "Heron", "Holly", "Ibex"),
    *(
        "Ibis",
        "Iris",
        "Island",
        "Ivy",
        "Jay",
        "Juniper",
        "Kestrel",
        "Kingfisher",
        "Lagoon",
        "Lantern",
        "Larch",
    ),
    *(
        "Lark",
        "Laurel",
        "Lavender",
        "Lichen",
        "Lilac",
        "Linden",
        "Linnet",
        "Lotus",
        "Lynx",
        "Magpie",
        "Marmot",
    ),
    *("Marten", "Meadow", "Mistral", "Moor", "Moss", "Myrtle", "Newt", "Oak", "Orchard", "Osprey", "Otter"),
    *("Owl", "Pebble", "Pelican", "Petrel", "Pine", "Plover", "Poplar", "Poppy", "Puffin", "Quail", "Raven"),
    *(
        "Reed",
        "Ridge",
        "River",
        "Robin",
        "Rowan",
        "Sandpiper",
        "Seal",
        "Sparrow",
        "Spruce",
        "Starling",
        "Stork",
    ),
    *(
        "Summit",
        "Swallow",
        "Swan",
        "Swift",
        "Sycamore",
        "Teal",
        "Tern",
        "Thistle",
        "Thrush",
        "Tulip",
        "Valley",
    ),
    *("Walnut", "Warbler", "Willow", "Wren", "Yarrow", "Yew"),
)


def keyed_id(key: bytes, purpose: str, value: str) -> str:
    """64 hex digits, the same for the same value; without the key nobody can tell whose, nor try values."""
    return hmac.new(key, f"{purpose}\x1f{value}".encode(), hashlib.sha256).hexdigest()


def codename(key: bytes, person_id: str) -> str:
    """Two words like "Quiet Heron". Two people may share one by chance; their keyed ids still differ."""
    number = int(keyed_id(key, "codename", person_id), 16)
    return f"{_FIRST[number % len(_FIRST)]} {_SECOND[number // len(_FIRST) % len(_SECOND)]}"
