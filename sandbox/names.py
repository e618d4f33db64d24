"""Names of the invented world: leagues, countries, clubs, towns, first and last names.

League ids, league names and club names are real, so that a demo looks familiar; everything else about them (results,
squads, stadiums) is drawn from the seed.
"""

from __future__ import annotations

# id, name, iso2, iso3
COUNTRIES: tuple[tuple[int, str, str, str], ...] = (
    (462, "England", "GB", "ENG"),
    (32, "Spain", "ES", "ESP"),
    (251, "Italy", "IT", "ITA"),
    (11, "Germany", "DE", "DEU"),
    (320, "Denmark", "DK", "DNK"),
    (17, "France", "FR", "FRA"),
    (38, "Netherlands", "NL", "NLD"),
    (20, "Portugal", "PT", "PRT"),
    (1161, "Scotland", "GB", "SCO"),
    (556, "Belgium", "BE", "BEL"),
    (404, "Türkiye", "TR", "TUR"),
    (143, "Austria", "AT", "AUT"),
    (62, "Switzerland", "CH", "CHE"),
    (47, "Sweden", "SE", "SWE"),
    (1578, "Norway", "NO", "NOR"),
    (2, "Poland", "PL", "POL"),
    (5, "Brazil", "BR", "BRA"),
    (44, "Argentina", "AR", "ARG"),
)

# id, name, short code, country, kind. A "playoff" league ends its season with knock-out finals, in a "cup" every
# match must have a winner.
LEAGUES: tuple[tuple[int, str, str, int, str], ...] = (
    (8, "Premier League", "UK PL", 462, "league"),
    (564, "La Liga", "ESP LL", 32, "league"),
    (384, "Serie A", "ITA SA", 251, "league"),
    (82, "Bundesliga", "GER BL", 11, "league"),
    (271, "Superliga", "DNK SL", 320, "playoff"),
    (24, "FA Cup", "UK FAC", 462, "cup"),
    (301, "Ligue 1", "FRA L1", 17, "league"),
    (72, "Eredivisie", "NLD E", 38, "playoff"),
    (462, "Liga Portugal", "POR LP", 20, "league"),
    (501, "Premiership", "SCO P", 1161, "playoff"),
    (208, "Pro League", "BEL PL", 556, "playoff"),
    (600, "Super Lig", "TUR SL", 404, "league"),
    (181, "Admiral Bundesliga", "AUT BL", 143, "league"),
    (591, "Super League", "CHE SL", 62, "league"),
    (573, "Allsvenskan", "SWE A", 47, "league"),
    (444, "Eliteserien", "NOR E", 1578, "league"),
    (453, "Ekstraklasa", "POL E", 2, "league"),
)

CLUBS: dict[int, str] = {
    8: "Arsenal|Liverpool|Manchester City|Chelsea|Tottenham Hotspur|Manchester United|Newcastle United|Aston Villa|"
    "Everton|Brighton & Hove Albion|West Ham United|Crystal Palace|Fulham|Brentford|Wolverhampton Wanderers|"
    "AFC Bournemouth|Nottingham Forest|Leeds United|Burnley|Sunderland|Leicester City|Southampton|Ipswich Town",
    564: "Real Madrid|FC Barcelona|Atlético Madrid|Athletic Club|Real Sociedad|Sevilla|Real Betis|Villarreal|Valencia|"
    "Celta de Vigo|Osasuna|Getafe|Rayo Vallecano|Mallorca|Girona|Deportivo Alavés|Espanyol|Levante|Elche|"
    "Real Oviedo|Las Palmas|Leganés|Cádiz",
    384: "Inter|Milan|Juventus|Napoli|Roma|Lazio|Atalanta|Fiorentina|Bologna|Torino|Udinese|Genoa|Como|Cagliari|"
    "Hellas Verona|Lecce|Parma|Sassuolo|Pisa|Cremonese|Empoli|Monza|Venezia",
    82: "FC Bayern München|Borussia Dortmund|Bayer 04 Leverkusen|RB Leipzig|Eintracht Frankfurt|VfB Stuttgart|"
    "SC Freiburg|Borussia Mönchengladbach|Werder Bremen|1. FSV Mainz 05|FC Augsburg|TSG Hoffenheim|1. FC Köln|"
    "FC Union Berlin|VfL Wolfsburg|Hamburger SV|FC St. Pauli|1. FC Heidenheim|Holstein Kiel|VfL Bochum",
    271: "København|Midtjylland|Brøndby|Nordsjælland|AGF|Silkeborg|Viborg|Randers|OB|SønderjyskE|Vejle|Fredericia|"
    "AaB|Lyngby|Horsens|Hvidovre|Esbjerg",
    24: "Arsenal FC|Plymouth Argyle|Wrexham|Sheffield Wednesday|Derby County|Millwall|Coventry City|Preston North End|"
    "Hull City|Stoke City|Watford|Bristol City|Norwich City|Queens Park Rangers|Portsmouth|Charlton Athletic",
}

TOWNS = (
    "Alder|Bran|Castel|Dorn|Elm|Ferro|Grün|Hald|Iver|Jarn|Kaster|Lund|Mora|Nord|Oster|Palm|Quint|Rosen|Sankt|Tor|"
    "Ulm|Val|West|Ypsi|Zell|Åker|Øster|Ävst|Brück|Châtel|Espér|Gijón"
).split("|")
TOWN_ENDS = "burg|dal|by|stad|feld|ham|mont|ville|berg|ton|haven|sund|ona|ero|eira|mark|furt|lea|wick|nes".split("|")
CLUB_ENDS = ("", " FC", " United", " City", " BK", " IF", " Athletic", " Rovers", " SC", " Town")
ARENAS = ("{} Park", "{} Arena", "Stadio {}", "Estadio {}", "{} Stadion", "{} Road", "{} Ground")

FIRST_NAMES = (
    "Adam|Agustín|Alex|André|Anton|Arjen|Bastian|Ben|Bruno|Callum|Carlos|César|Christian|Damián|Daniel|David|Diego|"
    "Dominik|Eduardo|Elias|Emil|Erik|Fabian|Felipe|Finn|Florian|François|Gabriel|Georg|Gonçalo|Gustav|Harry|Hugo|"
    "Ibrahim|Ismaël|Iván|Jack|Jakub|Jamal|Jan|Jérémy|João|Johan|Jonas|Jordan|José|Julian|Karl|Kevin|Kristoffer|"
    "Lars|Leandro|Leon|Liam|Lorenzo|Luca|Lukas|Mads|Marc|Marco|Martín|Mason|Mateo|Matías|Mathias|Mikkel|Mohamed|"
    "Nathan|Nico|Nicolás|Noah|Oliver|Oscar|Patrik|Pedro|Peter|Rafael|Rasmus|René|Ricardo|Robin|Rúben|Samuel|"
    "Sébastien|Sergio|Simon|Stefan|Theo|Thomas|Tim|Tobias|Viktor|Vinícius|William|Xavi|Youssef|Zoran|Łukasz|Şenol"
).split("|")
LAST_NAMES = (
    "Almeida|Andersen|Bakker|Barbosa|Becker|Bennett|Berg|Bianchi|Brandt|Brown|Bruun|Cardoso|Carter|Castillo|Christensen|"
    "Colombo|Conti|Cruz|Dahl|de Jong|Delgado|Dias|Doyle|Dubois|Eriksen|Esposito|Evans|Fernández|Ferrari|Fischer|"
    "Fontaine|Fuentes|Gallo|García|Girard|Gómez|Greco|Hansen|Hartmann|Henriksen|Herrera|Hoffmann|Hughes|Ibáñez|"
    "Jansen|Jensen|Johansson|Jørgensen|Kaya|Keller|Kowalski|Kramer|Kristensen|Lambert|Larsen|Lindström|López|Lund|"
    "Madsen|Marín|Marques|Martinez|Meyer|Møller|Moreau|Moretti|Müller|Murphy|Navarro|Nielsen|Novák|O'Connor|Olsen|"
    "Ortega|Öztürk|Pedersen|Pereira|Petersen|Peña|Poulsen|Ramírez|Ramos|Rasmussen|Reid|Ricci|Ríos|Rossi|Roux|Ruiz|"
    "Sánchez|Santos|Schmidt|Schneider|Silva|Sørensen|Souza|Stewart|Thomsen|Torres|Van Dijk|Vargas|Vidal|Visser|"
    "Wagner|Walker|Weber|Wiśniewski|Wright|Yılmaz|Zieliński|Đorđević"
).split("|")


def town(number: int) -> str:
    """The town of a number: different for the first 640, then counted (`Alderburg 2`)."""
    count = len(TOWNS) * len(TOWN_ENDS)
    spread = (number * 257) % count  # 257 is coprime with 640: neighbours get unlike names
    name = TOWNS[spread % len(TOWNS)] + TOWN_ENDS[spread // len(TOWNS)]
    return name if number < count else f"{name} {number // count + 1}"


def club(league_id: int, number: int, offset: int) -> str:
    """Name of the club at `number` (from 0) in a league's pool; `offset` keeps invented names apart."""
    known = CLUBS.get(league_id, "")
    listed = known.split("|") if known else []
    if number < len(listed):
        return listed[number]
    unique = offset + number
    return town(unique) + CLUB_ENDS[unique % len(CLUB_ENDS)]
