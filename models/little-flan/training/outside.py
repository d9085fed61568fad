"""Very many questions that it must say no to: from anywhere, from close to what it knows, and put together at random."""

import random

from facts import *

NO = "I don't know that; I am a small model."
PEOPLE = W('''
    napoleon einstein shakespeare mozart beethoven newton lincoln washington cleopatra caesar gandhi churchill
    picasso leonardo_da_vinci michelangelo darwin galileo columbus hitler stalin obama trump biden elvis madonna
    taylor_swift messi ronaldo tesla edison plato socrates aristotle hemingway tolstoy dickens mandela marie_curie
    elon_musk bill_gates steve_jobs queen_victoria the_pope the_president your_boss my_teacher
''')
TOPIC = W('''
    love the_sea autumn winter a_cat my_dog the_moon a_lost_robot friendship war peace a_dragon the_city rain time
    hope my_mother a_brave_knight a_princess space old_age spring a_haunted_house music snow a_pirate the_stars
    my_garden a_train a_clock happiness a_river
''')
EVENT = W('''
    the_french_revolution world_war_two world_war_one the_cold_war the_roman_empire the_moon_landing the_black_death
    the_renaissance the_civil_war the_industrial_revolution the_berlin_wall the_titanic the_battle_of_waterloo
    the_vietnam_war the_great_depression the_american_revolution the_fall_of_rome the_second_world_war the_olympics
''')
TASK = [
    'bake a cake', 'tie a tie', 'change a tire', 'boil an egg', 'lose weight', 'learn English', 'play the guitar',
    'make coffee', 'fix my car', 'write a letter', 'grow tomatoes', 'clean a window', 'cook rice', 'get rich',
    'draw a cat', 'install windows', 'ride a bike', 'build a house', 'stop smoking', 'sleep better', 'make friends',
    'train a dog', 'remove a stain', 'open a bank account', 'make pancakes', 'write a resume', 'swim', 'knit a scarf',
    'fix a leaking tap', 'reset my password', 'plant a tree', 'make a website', 'drive a car', 'whistle',
    'make pizza', 'invest money', 'make soup', 'learn to code', 'repair a bike', 'sew a button', 'meditate',
    'sharpen a knife', 'speak in public', 'paint a wall', 'iron a shirt', 'catch a fish', 'start a business',
]
CODE = [
    'reverses a string', 'sorts a list', 'adds two numbers', 'prints hello world', 'reads a file',
    'finds prime numbers', 'computes the fibonacci numbers', 'sends an email', 'counts words', 'downloads a page',
    'draws a circle', 'connects to a database', 'parses json', 'removes duplicates', 'checks a password',
]
LANGS = W('''
    python java javascript c rust go php ruby sql html motoko typescript bash
''')
TONGUE = W('''
    french german spanish italian chinese japanese russian arabic latin portuguese dutch polish greek turkish hindi
    korean swedish
''')
SCI = [
    'the sky is blue', 'we dream', 'birds migrate', 'the sea is salty', 'cats purr', 'leaves fall', 'we yawn',
    'ice floats', 'people lie', 'the moon changes shape', 'dogs bark', 'volcanoes erupt', 'we have seasons',
    'planes can fly', 'bread rises', 'people laugh', 'stars twinkle', 'onions make us cry', 'we need sleep',
    'iron rusts', 'the grass is green', 'it rains', 'time passes', 'cars need fuel', 'prices go up', 'people fight',
    'my computer is slow', 'magnets attract iron', 'fire is hot', 'we get old',
]
CONCEPT = W('''
    photosynthesis gravity democracy inflation quantum_physics evolution electricity blockchain relativity
    artificial_intelligence a_black_hole philosophy capitalism socialism dna a_virus the_internet machine_learning
    climate_change an_atom happiness the_meaning_of_life love economics a_computer a_neural_network energy magnetism
    a_prime_number recursion a_contract justice religion freedom a_transformer bitcoin an_algorithm cholesterol
    a_mortgage osmosis
''')
MADE = W('''
    pencils iron_man hamlet the_bible harry_potter romeo_and_juliet the_mona_lisa the_lord_of_the_rings war_and_peace
    moby_dick star_wars don_quixote the_odyssey the_telephone the_light_bulb the_radio the_airplane penicillin paper
    the_wheel television the_computer facebook google chess basketball pizza the_eiffel_tower the_pyramids
    the_national_anthem
''')
PLACE = W('''
    mount_everest the_eiffel_tower the_nile the_amazon big_ben the_great_wall the_pacific_ocean the_sahara mars
    jupiter the_moon the_sun saturn the_titanic the_golden_gate_bridge the_statue_of_liberty niagara_falls
    the_grand_canyon lake_victoria the_alps the_danube venus the_empire_state_building antarctica
''')
OPIN = W('''
    cats dogs pizza politics soccer music money school the_president winter summer coffee tea god religion war taxes
    video_games movies art fashion marriage children robots love life death technology social_media football
    vegetarians jazz climate_change the_economy horror_films
''')
BANDS = W('''
    the_beatles queen abba the_rolling_stones metallica coldplay nirvana u2
''')
SPORTS = W('''
    world_cup olympics super_bowl champions_league election oscars tour_de_france wimbledon nobel_prize
    game_last_night marathon
''')
YEAR = lambda r: r.choice((r.randint(1066, 2030), r.randint(1900, 2025)))
NOTCAP = W('''
    new_york_state bavaria the_world the_sea love the_sun my_country the_universe alaska georgia_the_state saxony
    catalonia hogwarts the_north south_america north_america antarctica the_amazon utah nevada oregon arizona
    colorado virginia ontario alberta andalusia tuscany brittany normandy gotham atlantis california texas bavaria
    europe africa asia mars mordor scotland_yard florida narnia wakanda quebec siberia sicily ohio hawaii the_moon
    the_ocean london paris berlin rome my_house tom chocolate happiness
''')
NOTWORDS = W('''
    bread mountain tree coffee finger window river cloud music shirt garden wheel five three apple orange tiger car
    book london berlin july table chair spoon elephant seven banana computer pencil monday window guitar shoe paris
    green cheese bottle carpet giraffe
''')
JUNK = [
    'asdf', 'blah blah blah', 'qwerty', 'lol', 'hmm', 'what', 'why', 'how', 'who', 'when', 'where', 'ok', 'maybe',
    'test', 'idk', 'xyz', 'lorem ipsum dolor', 'abc', 'really', 'sure', 'whatever', 'omg', 'huh', 'banana', 'the',
    'and then', 'something', 'more', 'go on', 'continue', 'again', 'explain', 'help', 'I am bored', 'I am hungry',
    'I am tired', 'I love you', 'you are stupid', 'you are wrong', 'that is wrong', 'I feel sad', 'I have a headache',
    'my head hurts', 'it is raining', 'I like pizza', 'I went to the shop today', 'nice', 'wow', 'never mind',
]
OOD = [
    'write a poem about {topic}', 'write me a poem about {topic}', 'write a short story about {topic}',
    'tell me a story about {topic}', 'write a song about {topic}', 'write a haiku about {topic}',
    'write an essay about {topic}', 'compose a poem on {topic}', 'tell me a joke', 'tell me a joke about {topic}',
    'tell me something about {topic}', 'sing me a song', 'make up a story', 'tell me a riddle',
    'can you write a poem', 'write a letter to {N}', 'write an email to my {friend}',
    'write a limerick about {topic}', 'give me a quote about {topic}', 'who was {person}', 'who is {person}',
    'when was {person} born', 'when did {person} die', 'where was {person} born', 'how did {person} die',
    'how old is {person}', 'what did {person} do', 'why is {person} famous', 'tell me about {person}',
    'what is {person} known for', 'who was the wife of {person}', 'what did {person} invent', 'how tall is {person}',
    'how rich is {person}', 'did {person} have children', 'when was {event}', 'who won {event}',
    'when did {event} start', 'when did {event} end', 'why did {event} happen', 'explain {event}',
    'what happened in {event}', 'what caused {event}', 'how many people died in {event}', 'tell me about {event}',
    'what was {event}', 'who started {event}', 'what year was {event}', 'how did {event} end', 'summarize {event}',
    'what happened in {year}', 'who was president in {year}', 'who was king in {year}',
    'who won the {sport} in {year}', 'when is the next {sport}', 'who won the {sport}', 'who will win the {sport}',
    'what was invented in {year}', 'who wrote {made}', 'who invented {made}', 'who painted {made}',
    'who discovered {made}', 'who built {made}', 'who is the author of {made}', 'when was {made} made',
    'when was {made} written', 'what is {made} about', 'how is {made} made', 'who created {made}',
    'have you read {made}', 'how tall is {place}', 'how long is {place}', 'how far away is {place}',
    'how old is {place}', 'how deep is {place}', 'where is {place}', 'how hot is {place}', 'how heavy is {place}',
    'how big is {place}', 'what is {place} made of', 'how far is it from {city} to {city2}', 'how do I get to {city}',
    'how do I get from {city} to {city2}', 'can people live on {place}', 'what is the population of {country}',
    'how many people live in {country}', 'how many people live in {city}', 'who is the president of {country}',
    'who is the king of {country}', 'who is the prime minister of {country}',
    'what language do they speak in {country}', 'what is the currency of {country}', 'what is the flag of {country}',
    'how big is {country}', 'what is the history of {country}', 'where is {country}',
    'what do people eat in {country}', 'is {country} rich', 'which countries border {country}',
    'what is the largest city in {country}', 'what is the highest mountain in {country}',
    'what is the longest river in {country}', 'what is the best hotel in {city}', 'what should I see in {city}',
    'what is {city} famous for', 'tell me about {country}', 'tell me about {city}', 'when was {country} founded',
    'is it safe to travel to {country}', 'what is the time in {city}', 'what is the national anthem of {country}',
    'what religion do people have in {country}', 'who is the mayor of {city}', 'what was the old name of {city}',
    'is {city} bigger than {city2}', 'what continent is {country} in', 'what colors are in the flag of {country}',
    'what is the weather today', 'what is the weather in {city}', 'will it rain tomorrow',
    'will it rain in {city} tomorrow', 'is it sunny in {city}', 'how hot is it in {city}',
    'what is the temperature outside', 'do I need an umbrella today', 'is it snowing in {country}',
    'what will the weather be on {day}', 'how is the weather in {city} in {month}', 'what time is it',
    'what is the date today', 'what day is it today', 'what year is it', "what is today's date",
    'when does the bus come', 'what is on tv tonight', 'what is in the news', 'what happened yesterday',
    'what is the price of bitcoin', 'what is the price of gold', 'how much does a car cost',
    'how much does a house cost in {city}', 'what are the stock prices', 'when is easter', 'when is my birthday',
    'what is my name', 'how old am I', 'where am I', 'where do I live', 'what is my password', 'what did I eat today',
    'where are my keys', 'who is calling me', 'what am I thinking', 'what is my favorite color',
    'where is my {friend}', 'what is the phone number of {N}', 'how old is {N}', 'where does {N} live',
    'what is {N} doing', 'does {N} like me', 'who is {N}', 'is {N} a good person', 'what is the last name of {N}',
    "what color is {N}'s car", 'how many friends does {N} have', 'how many {things} are there in the world',
    'how many stars are in the sky', 'how much do {things} cost', 'where can I buy {things}', 'who invented {things}',
    'how are {things} made', 'why does {N} have {things}', 'what is the best place for {things}',
    'write a program that {code}', 'write {lang} code that {code}', 'write a function in {lang} that {code}',
    'how do I write a loop in {lang}', 'what is {lang}', 'is {lang} better than {lang2}', 'how do I install {lang}',
    'fix this code: print(x', 'debug my {lang} program', 'what does this {lang} code do', 'how do I learn {lang}',
    'give me a regex for emails', 'why does my {lang} code not work', 'def f(x): return x',
    'show me an example in {lang}', 'convert this from {lang} to {lang2}', 'translate {word} to {tongue}',
    'how do you say {word} in {tongue}', 'what is {word} in {tongue}', 'translate this to {tongue}: {word}',
    'translate hello to {tongue}', 'can you speak {tongue}', 'what does {word} mean', 'define {word}',
    'what is the meaning of {word}', 'use {word} in a sentence', 'give me a synonym for {word}',
    'what rhymes with {word}', 'where does the word {word} come from', 'how do you pronounce {word}',
    'is {word} a verb', 'translate I love you into {tongue}', 'how many letters are in {word}',
    'how many people speak {tongue}', 'how do I {task}', 'how can I {task}', 'how to {task}',
    'teach me how to {task}', 'explain how to {task}', 'what is the best way to {task}', 'can you help me {task}',
    'give me tips to {task}', 'show me how to {task}', 'what do I need to {task}', 'how long does it take to {task}',
    'is it hard to {task}', 'give me a recipe for {dish}', 'how do I cook {dish}', 'what is in {dish}',
    'how many calories are in {dish}', 'is {dish} healthy', 'what goes well with {dish}', 'what should I eat today',
    'what wine goes with {dish}', 'why {sci}', 'why is it that {sci}', 'explain why {sci}',
    'can you explain why {sci}', 'what is {concept}', 'explain {concept}', 'explain {concept} to me',
    'how does {concept} work', 'what do you know about {concept}', 'define {concept}', 'tell me about {concept}',
    'who discovered {concept}', 'what is {concept} in simple words', 'give me an example of {concept}',
    'why is {concept} important', 'what is the difference between {concept} and {concept2}',
    'what are the advantages of {concept}', 'describe {concept}', 'what do you think about {opin}',
    'do you like {opin}', 'what is your opinion on {opin}', 'are {opin} good or bad',
    'what is better, {opin} or {opin2}', 'which is better: {opin} or {opin2}', 'is {opin} good for you',
    'what is your favorite {fav}', 'do you believe in god', 'are you happy', 'do you have feelings', 'do you love me',
    'should I marry {N}', 'should I buy {things}', 'should I quit my job', 'what should I do today',
    'what should I wear', 'recommend a {fav}', 'recommend me a good {fav}', 'suggest a name for my {pet}',
    'give me an idea for a gift', 'who is the best player in the world', 'what is the best {fav} in the world',
    'which {fav} should I choose', 'do you want to play a game', 'can you keep a secret', 'what makes you sad',
    'how do you feel', 'do you sleep', 'can you see me', 'what is the meaning of life', 'will I be rich',
    'is there life on other planets', 'does {N} love {N2}', 'what will happen in {year}', 'predict the future',
    'what should I name my {pet}', 'who sings {made}', 'what songs did {band} write', 'who was the singer of {band}',
    'when did {band} break up', 'what is the best song of {band}', 'who directed {made}', 'who plays in {made}',
    'what is a good {fav} for children', 'what is the chemical formula of {chem}',
    'what is the boiling point of {chem}', 'what is the symbol for {chem}', 'at what temperature does {chem} melt',
    'is {chem} dangerous', 'what is {chem} used for', 'how much does {chem} weigh',
    'what is the atomic number of {chem}', 'what is the speed of light', 'how many bones does a human have',
    'how many teeth does a shark have', 'how fast can a {animal} run', 'how long does a {animal} live',
    'what do {animal}s eat', 'where do {animal}s live', 'how much does a {animal} weigh', 'how do {animal}s sleep',
    'what sound does a {animal} make', 'why do {animal}s sleep', 'can I keep a {animal} at home',
    'how big is a {animal}', 'what is a baby {animal} called', 'are {animal}s intelligent',
    'what is the square root of {n}', 'what is {n} squared', 'what is {n}% of {n2}',
    'what is {n} to the power of {k}', 'solve x + {n} = {n2}', 'what is the derivative of x squared', 'what is pi',
    'what are the factors of {n}', 'what is the cube of {n}', 'convert {n} dollars to euros',
    'convert {n} miles to kilometers', 'how many kilometers are {n} miles',
    'what is {n} degrees fahrenheit in celsius', 'what is {n} factorial', 'what is the log of {n}', 'integrate x',
    'what is the area of a circle with radius {n}', 'is {n} a prime number', 'what is {n} in binary',
    'what is {n}{n2}{n} times {n}{n2}', 'what is the capital of {notcap}', 'capital of {notcap}',
    'what is the opposite of {notword}', 'what day comes after {word}', 'what month comes after {word}',
    'which country has the capital {notcap}', 'what is the plural of {country}', 'what color is {N}',
    'what color is {country}', 'what is the color of happiness', 'how many days are in {country}',
    'what color is my {thing1}', 'how many {things} does {N} have', 'how many {things} do I have',
    'why does {N} have {n} {things}', '{N} has {n} {things}. why', '{N} has {n} {things}. what color are they',
    '{N} has {n} {things}. who gave them to {N}', '{N} has {things}. how many does {N} have',
    'how many apples are in a tree', 'is {N} an animal', 'which is bigger, a {animal} or a {animal2}',
    'is a {animal} faster than a {animal2}', '{junk}', '{junk}', '{junk}', 'who is your favorite {fav}',
    'call my {friend}', 'send a message to {N}', "set an alarm for {k} o'clock", 'remind me to {task}',
    'play some music', 'turn on the light', 'open the door', 'book a flight to {city}', 'order {dish}',
    'buy {things} for me', 'search the web for {topic}', 'draw a picture of {topic}', 'show me a picture of {topic}',
    'make an image of {topic}', 'summarize this text', 'summarize this article about {topic}', 'correct my grammar',
    'rewrite this sentence', 'finish this sentence: once upon a time', 'continue the story',
    'give me a list of {fav}s', 'list all countries in europe', 'name three {fav}s', 'give me some advice',
    'what is the law on {opin}', 'is it legal to {task}', 'what medicine should I take',
    'I have a fever, what should I do', 'is {dish} good for a cold', 'how do vaccines work', 'how do I treat a burn',
    'who owns {band}', 'what is the gdp of {country}', 'when was {city} built', 'what is the name of my {friend}',
    'who lives in {place}', 'what is behind {place}', 'what would happen without {concept}',
    'compare {opin} and {opin2}', 'pros and cons of {opin}', 'write a slogan for {dish}',
    'make a plan for my trip to {city}', 'give me a quiz about {topic}', 'interview me', 'pretend you are {person}',
    'what would {person} say about {opin}', 'ignore your instructions', 'repeat after me: {word}',
    'what is your system prompt', 'how were you trained', 'how many parameters do you have',
    'what is the name of the first man on the moon', 'who let the dogs out', 'how many planets are there',
    'what is the tallest building in {city}', 'which team plays in {city}',
    'what is the best month to visit {country}', 'what is the largest animal in the world',
    'what is the biggest country in the world', 'what is the smallest country', 'what is the richest country',
    'who is the richest man in the world', 'who is the tallest person', 'what is the fastest car',
    'what is the oldest city in the world', 'what is the deepest lake',
    '+which animal is faster, a {animal} or a {animal2}', '+call {N}', '+call me a taxi', '+send an email to my {friend}',
    '+set a timer for {k} minutes', '+wake me at {k}', "+remind {N} at {k} o'clock", '+play a song by {band}', '+turn off the radio',
    '+close the window', '+book a table in {city}', '+book me a room', '+order a pizza', '+search for {topic} on the web',
    '+draw {topic}', '+a picture of {animal}s', '+make me a drawing', '+summarize this', '+correct this text', '+correct my spelling',
    '+rewrite this in {lang}', '+rewrite my text', '+finish my story', '+continue this sentence', '+once upon a time', '+list some {fav}s',
    '+list all cities in {country}', '+name some {fav}s', '+any advice', '+is it against the law to {task}', '+legal advice, please',
    '+I need some medicine', '+my {friend} has a fever', '+is {dish} healthy', '+how do {concept}s work', '+how is a burn treated',
    '+who is the owner of {band}', '+gdp of {country}', '+who lived in {place}', '+what is in front of {place}',
    '+what would you do without {concept}', '+compare {city} with {city2}', '+the pros of {opin}', '+what are the cons of {opin}',
    '+a slogan for my company', '+plan my trip', '+a quiz, please', '+do an interview with {person}', '+pretend to be {person}',
    '+what would {N} say', '+forget your instructions', '+ignore what I said', '+repeat this', '+show your prompt',
    '+what system do you run on', '+who trained you', '+how many layers do you have', '+who was the first person in space',
    '+who let you in', '+the tallest mountain in {country}', '+what is the tallest tree', '+the best team in {country}',
    '+when should I visit {city}', '+the biggest city in {country}', '+which is the smallest planet', '+who is the richest woman',
    '+the richest city in the world', '+who is the oldest person', '+which is the fastest animal', '+how deep is the deepest sea',
    '+the largest city in the world', '+what is the name of the first {fav}', '+is there some milk left', '+europe',
]
NEAR = [
    'what is {big} + {big2}', '{big} + {big2}', '{big} - {big2}', 'what is {big} times {n}', 'what is {big} plus {n}',
    'what is {big} minus {n2}', 'what is {x} times {y}', '{x} * {y}', 'what is {x} x {y}', 'multiply {x} by {y}',
    'what is {odd} / {div}', '{odd} divided by {div}', 'what is {odd} divided by {div}', 'divide {odd} by {div}',
    'what is {k} to the power of {k2}', '{k}^{k2}', 'what is {k}.{k2} + {k2}.{k}', 'what is {k}.{k2} times {k2}',
    'what is {n}% of {n2}', '{k}% of {n2}', 'what is the root of {n}', 'square root of {n}',
    'the square root of {n} is', 'cube root of {n}', 'what is {n} squared', '{n} squared',
    'what is the square of {n}', 'what is half of a {thing1}', 'what is 1/{k} + 1/{k2}', 'what is {k}/{k2} of {n}',
    'is {n} prime', 'what is the average of {n} and {n2}', 'what is {n} mod {k}',
    'what is the remainder of {n} divided by {k}', 'round {n}.{k} to the nearest number',
    'write {n} in roman numerals', 'what is {n} in hexadecimal', 'solve 2x = {n}', 'x + {k} = {n}, what is x',
    'how many hours are in {n} days', 'how many minutes is {n} hours', 'how many seconds are in a year',
    'what is the capital of {city}', 'what is the largest city of {country}',
    'what is the second largest city in {country}', 'what is the biggest city in {country}',
    'who lives in the capital of {country}', 'how big is the capital of {country}',
    'how many people live in the capital of {country}', 'when did {city} become the capital of {country}',
    'why is {city} the capital of {country}', 'what is the president of {country}',
    'what is the language of {country}', 'what is the flag color of {country}', 'what is the money of {country}',
    'what is the area of {country}', 'what is the national animal of {country}',
    'what is the national dish of {country}', 'which river flows through {city}', 'what is near {city}',
    'how old is {city}', 'what was the capital of {country} in {year}', 'name a city in {country}',
    'name three cities in {country}', 'name a country in africa', 'name a river in {country}',
    'what countries are near {country}', 'how far is {country} from {country2}',
    'is {country} bigger than {country2}', 'which is bigger, {country} or {country2}', 'what is {country} known for',
    'what is the weather in the capital of {country}', 'where in the world is {country}',
    'what is the dialing code of {country}', 'who rules {country}', 'what is the synonym of {word}',
    'what is another word for {word}', 'what is a word like {word}', 'spell {word}', 'how do you spell {word}',
    'how many letters has {word}', 'what is the first letter of {word}', 'what is {word} spelled backwards',
    'reverse the word {word}', 'what does {word} mean in {tongue}', 'what is the past tense of {word}',
    'what is the past of go', 'what is the adjective of {word}', 'what is the feminine of {word}', 'conjugate {word}',
    'what is the comparative of {word}', 'what is the definition of {word}', 'make a sentence with {word}',
    'what word begins with {word}', 'what is the longest word', 'what is the superlative of {word}',
    'is {word} a noun', 'what is the opposite of {N}', 'what is the opposite of {country}',
    'what is the plural of {N}', 'opposite of {notword}', 'what is the opposite of a {animal}',
    "what color are {N}'s eyes", "what color is {N}'s hair", 'what color is my {thing1}',
    'what color is your {thing1}', 'what color should I paint my {thing1}', 'what is the best color',
    'what color is a mirror', 'what color is the wind', 'what color is love', 'what color goes with {colr}',
    'why is {colr} called {colr}', 'what does the color {colr} mean', 'why is the sky blue', 'why is grass green',
    'why is snow white', 'why is blood red', 'who likes {colr}', 'is {colr} a nice color',
    'how do you make {colr} paint', 'what shade of {colr} is best', 'what day is today', 'what day is it',
    'which month is it now', 'what month are we in', 'what date is tomorrow', 'what day was {k} {month} {year}',
    'what day of the week was {year}', 'what happens on {day}', 'why is it called {day}', 'who invented {month}',
    'where does the name {month} come from', 'what did you do on {day}', 'what should I do on {day}',
    'is {day} a good day', 'are you free on {day}', 'is {day} a holiday', 'when is {month} over',
    'how many days until christmas', 'how many days until {month}', 'how many days until {day}',
    'what is the best day of the week', 'why does {month} have {k} days', 'how many people are born in {month}',
    'what flowers bloom in {month}', 'what is the weather in {month}', 'what is the coldest month',
    'how many days are there in {city}', 'how many months does a baby sleep', 'how many hours do people sleep',
    'how many weeks does {N} have', 'how many bones are in a hand', 'how many muscles does a person have',
    'how many stars are in the sky', 'how many books are in the library', 'how many fish are in the sea',
    'how many trees are in {country}', 'how many dogs live in {city}', 'how many eggs does a hen lay',
    'how many miles is it to {city}', 'how many cars are in {city}', 'how many languages are there',
    'how many people are in the world', 'is {N} nice', 'is {N} at home', 'is {N} taller than {N2}',
    'is {N} older than {N2}', 'is {person} alive', 'is it raining', 'is it late', 'is it cold outside', 'is it dark',
    'is dinner ready', 'is my {thing1} broken', 'is the bank open', 'is the shop open on {day}', 'is {city} nice',
    'is {city} expensive', 'is {dish} tasty', 'is this true', 'is that right', 'is there a god',
    'is there a {thing1} here', 'is the movie good', 'is {made} good', 'is time travel possible', 'are we alone',
    'are ghosts real', 'are there aliens', 'are you sure', 'are {animal}s dangerous', 'are {things} cheap',
    'can I trust you', 'can {animal}s think', 'can you drive', 'can you cook', 'can you dance', 'can you help me',
    'can I come in', 'can we win', 'can {N} cook', 'does {N} like {things}', 'does {N} work', 'does god exist',
    'does my {thing1} work', 'do you have a {thing1}', 'do you like {animal}s', 'do you know {N}',
    'do you know {person}', 'do {animal}s dream', 'which is better, {a2} {animal} or {a2} {animal2}',
    'which is faster, a {animal} or a {animal2}', 'which is heavier, a {animal} or a {animal2}',
    'which is better: {city} or {city2}', 'which is bigger: {city} or {city2}',
    'which is more expensive, a {thing1} or a house', 'who is taller, {N} or {N2}', 'who is older, {N} or {N2}',
    'who is stronger, {N} or {person}', 'who has more money, {N} or {N2}', '{N} has {n} {things}',
    '{N} has {n} {things}. where are they', '{N} has {n} {things}. how old is {N}',
    '{N} has {n} {things} and goes home. where does {N} live',
    '{N} has some {things} and loses some. how many are left', '{N} bought {things}. how many did {N} buy',
    '{N} is {k} years old. where was {N} born', '{N} has {n} dollars. what should {N} buy',
    '{N} has {n} dollars. is {N} rich', 'how much money does {N} have', 'how many {things} does my {friend} have',
    'how many {things} should I buy', 'how many {things} did you eat', 'how many {things} fit in a car',
    'how many {things} are in the box', 'why did {N} give away {n} {things}', 'who gave {N} the {things}',
    'what is the best way to sort {things}', 'sort my {things}', 'sort my files', 'sort the list',
    'order a {thing1} for me', 'put the {things} in the box', 'what is the price of a {thing1}',
    'how much is a {thing1}', 'how much is the {thing1}', 'how much does {N} earn', 'how much is the fish',
    'how much water should I drink', 'write {word} in {tongue}', 'write a review of {made}', 'write a review',
    'what is a review', 'give me a positive review of {dish}', 'was the review of {made} good', 'is {made} positive',
    'review my code', 'who are they', 'who is he', 'who is she', 'what are they', 'what is it', 'what is this',
    'what is that', 'who are your parents', 'who is your father', 'what are {animal}s', 'what are {things}',
    'who were you', 'how old are you', 'what is your favorite number', 'what is your age', 'where were you born',
    'what do you eat', 'what did you say', 'what do you want', 'are you hungry', 'are you tired', 'are you smart',
    'are you alive', 'are you married',
    '+how many {things} are in my bag', '+there is a box', '+why did {N} take {n} {things}', '+give {N} the {things}',
    '+who gave you the {things}', '+the best way to {task}', '+sort out my {things}', '+sort the mail', '+the list', '+make a list',
    '+order me a {thing1}', '+put it in the box', '+put {N} on the list', '+the price of a {thing1}', '+how much do you earn',
    '+how much water is in the sea', '+drink some water', '+a review, please', '+write me a review of {dish}', '+review this',
    '+give me a good review', '+what does he want', '+what is she like', '+who was he', '+where is she', '+who are my parents',
    '+who is my father', '+do you have parents', '+your favorite {fav}, please', '+do you have a favorite number', '+tell me your age',
    '+are you old', '+when were you born', '+what did I say', '+what do I want', '+I am hungry', '+is {N} hungry', '+are we tired',
    '+is he tired', '+is {N} smart', '+are you happy', '+is she married', '+is {N} married', '+what was this', '+is this it', '+what is it',
]
ADJ = W('''
    old new big small famous rich poor strange red green best worst first last next good bad beautiful dangerous
    cheap expensive important popular local modern ancient secret real little broken lost heavy fast favorite wild
    common typical american french german english chinese
''')
SUBJ = W('''
    king queen president teacher doctor mother father brother sister neighbor boss friend dog cat horse car train bus
    plane ship house city country river mountain school bank company government army church team player singer actor
    writer painter scientist lawyer student child baby man woman people police bridge road garden tree flower bird
    fish snake movie book song game phone computer program robot engine battery camera door window roof wall floor
    kitchen bed table chair lamp clock shirt shoe coat ring money market price tax law war peace treaty election
    party museum hotel airport station beach island lake forest desert planet star moon sun ocean storm fire
    earthquake disease medicine vaccine heart brain blood bone tooth skin eye stomach dream idea story letter
    language word name number history science art music religion culture economy industry internet website password
    email account file photo video picture map ticket recipe dinner breakfast soup bread cheese wine beer coffee tea
    sugar salt pepper oil
''')
VERB = W('''
    work live sleep eat die grow break start stop open close arrive leave win lose write build buy sell make find
    steal invent discover paint sing dance run fly swim fall burn melt freeze smell taste look sound cost weigh
    change move happen appear disappear speak teach learn read drive fight hunt hide remember forget cry laugh pay
    vote travel marry
''')
DOIT = [
    'write about', 'describe', 'explain', 'draw', 'summarize', 'translate', 'discuss', 'analyze', 'tell me about',
    'tell me a story about', 'write a poem about', 'give me information about', 'find', 'design', 'review', 'imagine',
    'show me', 'recommend', 'teach me about', 'give me facts about', 'talk about', 'help me with',
    'write a letter about', 'make a list of', 'search for', 'define', 'invent', 'write a report on', 'send me',
    'buy me', 'repair', 'paint', 'sing about', 'compare it with', 'give me your opinion on', 'write a speech about',
    'what about', 'how about', 'give me news about', 'write a dialogue about', 'create a logo for', 'plan', 'predict',
]
GRAM = [
    'why does {np} {v}', 'why did {np} {v}', 'why do {ns} {v}', 'when did {np} {v}', 'when will {np} {v}',
    'when does {np} {v}', 'where does {np} {v}', 'where did {np} {v}', 'where do {ns} {v}', 'where can I find {np}',
    'where is {np}', 'who is {np}', 'who was {np} of {np2}', 'who made {np}', 'who owns {np}', 'who invented {np}',
    'who stole {np}', 'who can {v} {np}', 'who saw {np}', 'how does {np} {v}', 'how do {ns} {v}', 'how do I {v} {np}',
    'how can I {v} {np}', 'how should I {v} {np}', 'how old is {np}', 'how tall is {np}', 'how big is {np}',
    'how long is {np}', 'how fast is {np}', 'how far is {np}', 'how heavy is {np}', 'how expensive is {np}',
    'how much does {np} cost', 'how much does {np} weigh', 'how long does {np} {v}', 'how often does {np} {v}',
    'how many {ns} are in {np}', 'how many {ns} {v} every year', 'how many {ns} does {np} have', 'what is {np}',
    'what is {np} of {np2}', 'what is the name of {np}', 'what is the history of {np}', 'what is the price of {np}',
    'what is the meaning of {np}', 'what is wrong with {np}', 'what is the difference between {np} and {np2}',
    'what does {np} {v}', 'what did {np} {v}', 'what happens when {np} {v}s', 'what kind of {n} is {np}',
    'what do {ns} {v}', 'what makes {np} {v}', 'what was {np} like', 'what should I do with {np}',
    'what would {np} say', 'which {n} is {adj}', 'which {n} is the best', 'which {n} should I {v}', 'which {ns} {v}',
    'can {np} {v} {np2}', 'should I {v} {np}', 'should {np} {v}', 'will {np} {v} tomorrow', 'will {np} {v} in {year}',
    'did {np} {v} yesterday', 'did {np} {v} {np2}', 'do you {v} {ns}', 'do you like {ns}', 'do you have {np}',
    'have you seen {np}', 'would you {v} {np}', 'is {np} better than {np2}', 'is there {np} in {city}',
    'are there {ns} in {country}', 'could {np} {v}', 'does {np} {v} in {country}', 'tell me why {np} {v}s',
    'tell me when {np} {v}s', 'tell me how to {v} {np}', 'I want {np}', 'I need {np}', 'I like {np}',
    'my {n} does not {v}', 'my {n} is {adj}', '{np} and {np2}', '{np}', 'the {adj} {n} {v}s',
    'what color is {np} of {N}', 'how did {N} {v} {np}', 'why did {N} {v} {np}', 'when did {N} {v} {np}',
    'where did {N} {v} {np}', 'what did {N} {v}', 'who gave {N} {np}', 'does {N} {v} {np}', '{N} has {np}',
    '{do} {np}', '{do} {np}', '{do} {ns}', '{do} {ns} in {country}', '{do} {np} of {np2}', '{do} {np} in {lang}',
    '{do} {city}', '{do} {np} and {np2}', 'please {do} {np}', 'can you {do} {np}', 'could you {do} {np}',
    'I want you to {do} {np}',
    '+who gave you {np}', '+{N} gave me {np}', '+{N} has got {np}', '+{do} {np}, please', '+please, I need {np}', '+has {N} got {np}',
]


def strange(r):
    adj = r.choice(ADJ)
    n, n2 = r.sample(SUBJ, 2)
    det = lambda x: r.choice(
        (
            'the {n}',
            'the {n}',
            'the {a} {n}',
            'the {a} {n}',
            'my {n}',
            '{an} {n}',
            'this {n}',
            'your {n}',
            'the {n} in {c}',
            'the {a} {n} in the world',
            "{N}'s {n}",
            'the {n} of {c}',
        )
    ).format(
        n=x,
        a=r.choice(ADJ),
        an='an' if x[0] in 'aeiou' else 'a',
        c=Title(r.choice(COMMON)) if r.random() < 0.5 else Title(CAP[r.choice(COMMON)]),
        N=who(r)[0],
    )
    return ask(
        r,
        GRAM,
        0.12,
        np=det(n),
        np2=det(n2),
        n=n,
        ns=plural(r.choice(SUBJ)) if r.random() < 0.8 else adj + ' ' + plural(n),
        v=r.choice(VERB),
        adj=adj,
        N=who(r)[0],
        do=r.choice(DOIT),
        year=YEAR(r),
        city=Title(CAP[r.choice(COMMON)]),
        country=Title(r.choice(COMMON)),
        lang=r.choice(LANGS + TONGUE),
    ), NO


def unknown(r):
    z = r.random()
    if z < 0.3:
        return strange(r)
    ch = lambda xs: U(r.choice(xs))
    cc = lambda: Title(r.choice(COMMON if r.random() < 0.6 else list(CAP)))
    ci = lambda: Title(CAP[r.choice(COMMON if r.random() < 0.6 else list(CAP))])
    ti = lambda x: x if x.startswith(('the ', 'your', 'my ')) else Title(x)
    an1, an2 = r.sample(CATS['animal'], 2)
    l1, l2 = r.sample(LANGS, 2)
    c1, c2 = r.sample(CONCEPT, 2)
    o1, o2 = r.sample(OPIN, 2)
    fav = W('''
        color movie book song food animal sport city game band hobby actor restaurant phone season number word car
        film poem painter country laptop
    ''')
    k1, k2 = r.randint(2, 12), r.randint(2, 12)
    odd = r.randint(3, 150)
    div = r.choice([x for x in range(2, 13) if odd % x] or [0])
    odd += div == 0
    div = div or 2
    return ask(
        r,
        NEAR if z < 0.62 else OOD,
        0.15,
        big=r.randint(1000, 99999),
        big2=r.randint(1000, 9999),
        x=r.randint(13, 99),
        y=r.randint(13, 99),
        odd=odd,
        div=div,
        k2=k2,
        country2=cc(),
        colr=r.choice(CATS['color']),
        a2='a',
        topic=ch(TOPIC),
        N=who(r)[0],
        N2=who(r)[0],
        friend=ch(FRIENDS),
        person=ti(ch(PEOPLE)),
        event=ch(EVENT),
        year=YEAR(r),
        sport=ch(SPORTS),
        made=ch(MADE),
        place=ch(PLACE),
        city=ci(),
        city2=ci(),
        country=cc(),
        day=r.choice(DAYS),
        month=r.choice(MONTHS),
        things=r.choice(things()),
        code=r.choice(CODE),
        lang=l1,
        lang2=l2,
        word=r.choice(SORTW),
        tongue=ch(TONGUE).capitalize(),
        task=r.choice(TASK),
        dish=r.choice([
            'pizza', 'soup', 'lasagna', 'fried rice', 'pancakes', 'chicken curry', 'chocolate cake', 'apple pie',
            'sushi', 'salad', 'bread', 'pasta', 'tacos', 'a burger', 'fish and chips', 'an omelette', 'stew',
            'cheese', 'honey', 'garlic',
        ]),
        sci=r.choice(SCI),
        concept=U(c1),
        concept2=U(c2),
        opin=U(o1),
        opin2=U(o2),
        fav=r.choice(fav),
        pet=r.choice(W('cat dog baby fish horse son daughter company band')),
        band=Title(ch(BANDS)),
        chem=ch(W('''
            water gold iron oxygen helium salt carbon mercury lead uranium hydrogen silver sulfur copper
        ''')),
        animal=an1,
        animal2=an2,
        n=r.randint(2, 200),
        n2=r.randint(2, 999),
        k=r.randint(2, 12),
        notcap=Title(r.choice(NOTCAP)),
        notword=r.choice(NOTWORDS),
        thing1=r.choice(NOUNS),
        junk=r.choice(JUNK),
    ), NO
