"""Effects within groups of patients, as by scanner, site, sex or age, and between the groups."""
