"""Texts as an engine writes what people dictate: with and without marks of its own."""

from __future__ import annotations

SENTENCES = (
    "dear Mister Miller comma new paragraph thank you very much for your letter of the twenty "
    "third of May period we have looked at the two offers comma and we will take the second one"
    " period",
    "Um, so I think, uh, we should meet on Monday at ten, and then, um, go through the list "
    "that Anna has sent around last week, because there are still some things open in it.",
    "the meeting is at ten thirty in room two hundred and five comma please bring your own "
    "laptop comma a charger comma and the numbers for the third quarter exclamation mark new "
    "line thanks",
    "She said, open quote, I will be there at eight, close quote, but she was not there, and "
    "nobody had heard from her until late in the evening, when her brother called us from the "
    "station.",
    "the new server has sixty four gigabytes of memory and uses about two hundred watts when it"
    " is busy comma which is twenty percent less than the old one period scratch that it is "
    "thirty percent",
    "Please send the package to my address, and tell them that it weighs five kilograms, that "
    "it is fragile, and that somebody will be at home in the afternoon between two and four.",
    "we use postgresql and kubernetes comma and all of it is on github period project q is "
    "written in type script dash most of it at least dash and is installed with npm period can "
    "you look at it",
    "First, the budget. Second, the people. Third, the time that all of this is going to take. "
    "I would say that we need about five months and one hundred thousand dollars, maybe a "
    "little more.",
    "all caps important colon do not open the door before the light is green period if the "
    "alarm goes off comma leave the building by the nearest exit comma and do not use the lift "
    "period thank you",
    "I have no idea what the hell is going on with this fucking printer, it was working "
    "yesterday, and now it says that there is no paper in it, although I have just put two "
    "hundred sheets into it.",
    "it will be about twenty five degrees celsius on Saturday comma and a little cooler on "
    "Sunday comma so we could go to the lake open parenthesis the big one close parenthesis or "
    "stay in new york",
    "Hello, comma, this is a test of the new microphone, period. New line. I hope that you can "
    "hear me well, comma, and that there is not too much noise from the street, question mark.",
    "the patient is a fifty four year old man with pain in the left knee comma which began "
    "three weeks ago after a fall period new paragraph he takes five hundred milligrams of "
    "ibuprofen twice a day",
    "Well, you know, it is what it is, and there is not a lot that we can do about it now, "
    "other than wait for the answer, which, er, should be here by the end of the next week at "
    "the latest.",
    "to do colon new line bullet point buy milk and bread new line bullet point call the "
    "plumber about the kitchen sink new line bullet point book two tickets to Berlin for the "
    "fourteenth of June",
    "Can you believe it? I was only gone for ten minutes, and when I came back, the whole cake "
    "was gone, every last bit of it, and the dog was lying under the table as if nothing had "
    "happened.",
    "the function takes a list of strings comma removes those that are empty comma and returns "
    "the rest in the same order semicolon it raises an error if the list is longer than one "
    "thousand period",
    "brb, I have to take a call. Let us go on at a quarter past three, if that is fine with all"
    " of you, and please have another look at snippet 12 and snippet 31 until then, thank you "
    "so much.",
    "chapter two new paragraph it was a cold and rainy night comma and the old house at the end"
    " of the lane stood dark ellipsis nobody had lived there for twenty years comma or so they "
    "said full stop",
    "I think that the second version is better than the first one, but the third is the best of"
    " them all. Scratch that. The second is the best, and we should print five hundred copies "
    "of it.",
)
