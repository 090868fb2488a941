package main

// The image holds this command alone. Where the system has no certificate
// authorities, those of Mozilla count, as of this module's version; where it has
// some, these do not. Copied from the building machine they would be another set
// on each, and in no list of what the program is made of.
import _ "golang.org/x/crypto/x509roots/fallback"
