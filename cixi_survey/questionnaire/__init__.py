"""Questionnaires as data: pure, without the web and without the database.

definition      the door: load a file, check it, its canonical form, the rules a page needs
model           what a questionnaire consists of
source          YAML text to plain data with the place of every value
schema          faults of form, said in words
expressions     the XLSForm conditions: parse, evaluate, hand to the page
patterns        which patterns regex() takes
writer          plain data as YAML text
editing         changes to the text that leave all else byte for byte
references      what names what, and renaming with all that follows
verify          faults of meaning; verify_conditions and verify_indicators for theirs
faults          the list that all checks add to
reachability    can a question ever be asked, can a rule ever fire
answers         what a resident sent, to answers and problems
indicators      answers of a wave to scores
"""
