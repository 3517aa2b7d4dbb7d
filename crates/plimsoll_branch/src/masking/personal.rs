//! Which columns look personal, by name and type: a hint for those who write rules, and no proof of anything.

use super::catalogue::Column;

/// Words of a column's name, parted at `_` and at capitals; in English, German, French, Spanish, Italian, Portuguese and
/// Dutch where they are told apart from other things.
const WORDS: &str = " email mail emailaddress courriel correo phone telephone tel mobile cell fax telefon handy telefono telephon \
     firstname lastname surname forename fullname middlename maidenname username nickname givenname familyname vorname nachname \
     prenom apellido apellidos cognome sobrenome voornaam achternaam \
     address street zip zipcode postcode postalcode adresse anschrift strasse plz rue direccion indirizzo endereco adres straat \
     birth birthday birthdate dob born geburtstag geburtsdatum naissance nacimiento nascita nascimento geboortedatum \
     ssn nin nino sin tin taxid passport iban bic swift passnummer reisepass passeport pasaporte steuernummer dni nif cpf bsn \
     creditcard cardnumber cvv cvc pan accountnumber kontonummer \
     password passwd pwd passphrase passwort kennwort contrasena token secret apikey otp totp pin session cookie \
     ip ipaddress gender sex geschlecht religion ethnicity nationality salary diagnosis \
     latitude longitude useragent ";
/// Words of several parts.
const PAIRS: [&str; 32] = [
    "first_name",
    "last_name",
    "full_name",
    "middle_name",
    "maiden_name",
    "user_name",
    "nick_name",
    "given_name",
    "family_name",
    "display_name",
    "customer_name",
    "contact_name",
    "person_name",
    "holder_name",
    "postal_code",
    "date_naissance",
    "date_birth",
    "tax_id",
    "national_id",
    "credit_card",
    "card_number",
    "account_number",
    "api_key",
    "private_key",
    "user_agent",
    "ip_address",
    "ip_addr",
    "remote_addr",
    "driver_license",
    "driving_licence",
    "e_mail",
    "health_insurance",
];
/// Tables of people: there, a `name` is one.
const PEOPLE: &str = " user users customer customers person persons people member members employee employees contact contacts \
     patient patients client clients account accounts student students author authors subscriber subscribers kunde kunden \
     benutzer mitarbeiter personen utilisateur utilisateurs usuario usuarios cliente clientes utente utenti ";

/// Whether it does. `table` is the table's name.
pub(super) fn looks_personal(table: &str, column: &Column) -> bool {
    if column.is_generated
        || matches!(column.base.as_str(), "bool" | "interval")
        || column.category.starts_with('E')
    {
        return false;
    }
    if ["inet", "macaddr", "macaddr8"].contains(&column.base.as_str()) {
        return true;
    }
    let is_date = column.category.starts_with('D');
    let is_number = column.category.starts_with('N');
    let name = parted(&column.name);
    // A moment or a number with such a name counts or dates something: `email_sent_at`, `token_id`.
    let ends_otherwise =
        ["_id", "_at", "_count", "_type", "_status", "_hash_algorithm", "_enabled", "_length"];
    if ends_otherwise.iter().any(|end| name.ends_with(end))
        && !name.ends_with("tax_id")
        && !name.ends_with("national_id")
    {
        return false;
    }
    let is_word = |word: &str, list: &str| list.contains(&format!(" {word} "));
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    if is_date {
        let of_birth = [
            "birth",
            "birthday",
            "birthdate",
            "dob",
            "born",
            "geburtstag",
            "geburtsdatum",
            "naissance",
            "nacimiento",
            "nascita",
            "nascimento",
            "geboortedatum",
        ];
        return words.iter().any(|word| of_birth.contains(word));
    }
    let joined: String = words.concat();
    if is_number && words.iter().any(|word| ["token", "pin", "session", "sex", "gender"].contains(word)) {
        return false;
    }
    words.iter().any(|word| is_word(word, WORDS))
        || is_word(&joined, WORDS)
        || PAIRS.iter().any(|pair| format!("_{name}_").contains(&format!("_{pair}_")))
        || name == "name" && parted(table).split('_').any(|word| is_word(word, PEOPLE))
}

/// Lower case, with `_` between words: `firstName` and `FirstName` are `first_name`.
fn parted(name: &str) -> String {
    let mut text = String::new();
    let mut was_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && was_lower {
            text.push('_');
        }
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
        match letter {
            'ä' | 'á' | 'à' | 'â' | 'ã' | 'Ä' => text.push('a'),
            'é' | 'è' | 'ê' | 'É' => text.push('e'),
            'í' | 'ì' => text.push('i'),
            'ó' | 'ò' | 'ö' | 'õ' | 'ô' => text.push('o'),
            'ú' | 'ù' | 'ü' => text.push('u'),
            'ñ' => text.push('n'),
            'ç' => text.push('c'),
            'ß' => text.push_str("ss"),
            '-' | ' ' | '.' => text.push('_'),
            letter => text.extend(letter.to_lowercase()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, name: &str, base: &str, category: &str, expected: bool) {
        let column = Column {
            table: 1,
            number: 1,
            name: name.to_owned(),
            data_type: base.to_owned(),
            types: Vec::new(),
            base: base.to_owned(),
            category: category.to_owned(),
            length: None,
            is_not_null: false,
            is_generated: false,
            is_unique: false,
            inherited_from: Vec::new(),
        };
        assert_eq!(looks_personal(table, &column), expected, "{table}.{name} {base}");
    }

    #[test]
    fn names_and_types_tell() {
        for name in [
            "email",
            "contact_email",
            "E-Mail",
            "firstName",
            "last_name",
            "phone_number",
            "mobile",
            "iban",
            "passport_no",
            "ssn",
            "password_hash",
            "api_key",
            "geburtsdatum",
            "straße",
            "prénom",
            "contraseña",
            "ip_address",
            "date_of_birth",
        ] {
            check("t", name, "text", "S", true);
        }
        for name in [
            "id",
            "title",
            "description",
            "total",
            "mailbox_count",
            "panel",
            "shipping",
            "recipient_id",
            "emailed_at",
        ] {
            check("t", name, "text", "S", false);
        }
        check("t", "seen_from", "inet", "I", true);
        check("t", "birth_date", "date", "D", true);
        check("t", "email_sent", "timestamptz", "D", false);
        check("t", "email_verified", "bool", "B", false);
        check("users", "name", "text", "S", true);
        check("products", "name", "text", "S", false);
    }
}
