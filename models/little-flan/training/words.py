"""The words that questions are made of: names, things, countries, opposites, plurals, colours, what is what."""




def W(s):
    return s.split()


def P(s):
    return dict(x.split(':') for x in s.replace('\n', ' ').split())


def U(s):
    return s.replace('_', ' ')


BOYS = W('''
    joe tom sam ben max leo dan tim jack james john peter paul mark luke adam david michael daniel robert william
    henry george charlie harry oliver noah liam ethan lucas mason logan jacob ryan kevin brian eric alex carlos diego
    juan pedro ahmed omar ali hassan ivan boris hans felix otto karl raj arjun amit chen wei hiro kenji pierre marco
    luigi mario tony steve bob bill fred greg jeff ken larry mike nick oscar patrick ralph scott ted victor walter
    zack andrew anthony thomas samuel benjamin josh matt chris aaron caleb dylan owen isaac nathan theo finn
''')
GIRLS = W('''
    ann mia eva zoe ida lea amy kim mary anna emma olivia sophia ava isabella lily grace chloe ella lucy sarah laura
    julia lisa maria susan karen nancy betty helen sandra donna carol ruth sharon michelle emily jane kate alice rose
    daisy ruby nina tina gina rita vera olga elena sofia carmen rosa lucia fatima aisha leila amina priya anita mei
    ling yuki sakura marie claire elise heidi greta ingrid astrid freya hannah rachel rebecca abigail victoria
    natalie molly holly jenny penny wendy becky cindy mandy tracy jessica amanda ashley megan nora iris ivy hazel
''')
XBOYS = W('''
    bruno dennis edgar hugo jonas kofi mateo nils pablo ravi simon tariq vince yusuf zane roger
''')
XGIRLS = W('''
    beth diana esther fiona gloria hilda irene joan kira lena monica nadia paula salma tanya yara
''')
THINGS = W('''
    apples books coins eggs pens stamps cards shells nuts cups cookies candies marbles balls balloons oranges bananas
    pears peaches plums grapes cherries lemons strawberries cakes cupcakes muffins donuts sandwiches pies pencils
    crayons markers notebooks stickers toys cars dolls blocks bricks buttons beads rings flowers roses tulips trees
    leaves stones rocks bottles plates forks spoons bowls boxes bags hats shirts socks shoes gloves keys tickets
    photos pictures posters magazines comics letters chairs tables lamps candles boats kites bikes fish birds cats
    dogs hens cows sheep ducks rabbits chickens potatoes tomatoes carrots onions chocolates sweets lollipops dollars
    euros puzzles games videos songs badges ribbons seeds
''')
XTHINGS = W('''
    mangoes pins mugs feathers melons waffles rulers erasers scarves umbrellas pumpkins goats bracelets postcards
    bagels acorns turnips cushions
''')
EATABLE = set(W('''
    apples eggs nuts cookies candies oranges bananas pears peaches plums grapes cherries lemons strawberries cakes
    cupcakes muffins donuts sandwiches pies carrots tomatoes potatoes chocolates sweets lollipops mangoes melons
    waffles bagels
'''))
FRIENDS = W('''
    friend sister brother mother father teacher neighbor cousin uncle aunt classmate grandmother mom dad
''')
ONES = W('''
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
''')
TENS = W('_ _ twenty thirty forty fifty sixty seventy eighty ninety')
CAP = P('''
    afghanistan:kabul albania:tirana algeria:algiers andorra:andorra_la_vella angola:luanda
    antigua_and_barbuda:saint_john's argentina:buenos_aires armenia:yerevan australia:canberra austria:vienna
    azerbaijan:baku bahamas:nassau bahrain:manama bangladesh:dhaka barbados:bridgetown belarus:minsk belgium:brussels
    belize:belmopan benin:porto-novo bhutan:thimphu bolivia:sucre bosnia_and_herzegovina:sarajevo botswana:gaborone
    brazil:brasilia brunei:bandar_seri_begawan bulgaria:sofia burkina_faso:ouagadougou burundi:gitega
    cambodia:phnom_penh cameroon:yaounde canada:ottawa cape_verde:praia central_african_republic:bangui
    chad:n'djamena chile:santiago china:beijing colombia:bogota comoros:moroni costa_rica:san_jose croatia:zagreb
    cuba:havana cyprus:nicosia czech_republic:prague democratic_republic_of_the_congo:kinshasa denmark:copenhagen
    djibouti:djibouti dominica:roseau dominican_republic:santo_domingo ecuador:quito egypt:cairo
    el_salvador:san_salvador equatorial_guinea:malabo eritrea:asmara estonia:tallinn eswatini:mbabane
    ethiopia:addis_ababa fiji:suva finland:helsinki france:paris gabon:libreville gambia:banjul georgia:tbilisi
    germany:berlin ghana:accra greece:athens grenada:saint_george's guatemala:guatemala_city guinea:conakry
    guinea-bissau:bissau guyana:georgetown haiti:port-au-prince honduras:tegucigalpa hungary:budapest
    iceland:reykjavik india:new_delhi indonesia:jakarta iran:tehran iraq:baghdad ireland:dublin israel:jerusalem
    italy:rome ivory_coast:yamoussoukro jamaica:kingston japan:tokyo jordan:amman kazakhstan:astana kenya:nairobi
    kiribati:tarawa kosovo:pristina kuwait:kuwait_city kyrgyzstan:bishkek laos:vientiane latvia:riga lebanon:beirut
    lesotho:maseru liberia:monrovia libya:tripoli liechtenstein:vaduz lithuania:vilnius luxembourg:luxembourg
    madagascar:antananarivo malawi:lilongwe malaysia:kuala_lumpur maldives:male mali:bamako malta:valletta
    marshall_islands:majuro mauritania:nouakchott mauritius:port_louis mexico:mexico_city micronesia:palikir
    moldova:chisinau monaco:monaco mongolia:ulaanbaatar montenegro:podgorica morocco:rabat mozambique:maputo
    myanmar:naypyidaw namibia:windhoek nauru:yaren nepal:kathmandu netherlands:amsterdam new_zealand:wellington
    nicaragua:managua niger:niamey nigeria:abuja north_korea:pyongyang north_macedonia:skopje norway:oslo oman:muscat
    pakistan:islamabad palau:ngerulmud palestine:ramallah panama:panama_city papua_new_guinea:port_moresby
    paraguay:asuncion peru:lima philippines:manila poland:warsaw portugal:lisbon qatar:doha
    republic_of_the_congo:brazzaville romania:bucharest russia:moscow rwanda:kigali saint_kitts_and_nevis:basseterre
    saint_lucia:castries saint_vincent_and_the_grenadines:kingstown samoa:apia san_marino:san_marino
    sao_tome_and_principe:sao_tome saudi_arabia:riyadh senegal:dakar serbia:belgrade seychelles:victoria
    sierra_leone:freetown singapore:singapore slovakia:bratislava slovenia:ljubljana solomon_islands:honiara
    somalia:mogadishu south_africa:pretoria south_korea:seoul south_sudan:juba spain:madrid sri_lanka:colombo
    sudan:khartoum suriname:paramaribo sweden:stockholm switzerland:bern syria:damascus taiwan:taipei
    tajikistan:dushanbe tanzania:dodoma thailand:bangkok timor-leste:dili togo:lome tonga:nuku'alofa
    trinidad_and_tobago:port_of_spain tunisia:tunis turkey:ankara turkmenistan:ashgabat tuvalu:funafuti
    uganda:kampala ukraine:kyiv united_arab_emirates:abu_dhabi united_kingdom:london united_states:washington
    uruguay:montevideo uzbekistan:tashkent vanuatu:port_vila vatican_city:vatican_city venezuela:caracas
    vietnam:hanoi yemen:sana'a zambia:lusaka zimbabwe:harare
''')
ALIAS = dict(
    united_kingdom='england great_britain britain uk'.split(),
    united_states='america usa us united_states_of_america'.split(),
    czech_republic=['czechia'],
    myanmar=['burma'],
    ivory_coast=["cote_d'ivoire"],
    netherlands=['holland'],
    united_arab_emirates=['uae'],
)
THE = set(W('''
    bahamas comoros gambia maldives marshall_islands netherlands philippines seychelles solomon_islands
    united_arab_emirates united_kingdom united_states united_states_of_america uk usa us uae central_african_republic
    czech_republic democratic_republic_of_the_congo dominican_republic republic_of_the_congo
'''))
COMMON = W('''
    france germany italy spain portugal united_kingdom united_states ireland greece egypt japan china india russia
    brazil mexico canada australia norway sweden finland denmark poland austria switzerland belgium netherlands
    turkey kenya peru cuba argentina chile iran iraq israel hungary czech_republic ukraine south_korea thailand
    vietnam indonesia
''')
SMALL = {'and', 'of', 'the', 'la'}


def Title(s):
    return ' '.join(w if w in SMALL else '-'.join(p[:1].upper() + p[1:] for p in w.split('-')) for w in U(s).split())


OPP = P('''
    hot:cold big:small up:down day:night left:right open:closed fast:slow young:old happy:sad wet:dry light:dark
    hard:soft rich:poor early:late full:empty long:short strong:weak clean:dirty near:far high:low true:false
    good:bad black:white large:small tall:short thick:thin wide:narrow deep:shallow heavy:light loud:quiet new:old
    right:wrong in:out on:off over:under above:below inside:outside before:after first:last front:back top:bottom
    north:south east:west yes:no win:lose buy:sell give:take push:pull come:go start:stop begin:end love:hate
    laugh:cry friend:enemy brave:cowardly easy:difficult cheap:expensive sweet:sour smooth:rough sharp:dull
    awake:asleep alive:dead safe:dangerous polite:rude kind:cruel lazy:hardworking clever:stupid beautiful:ugly
    always:never more:less many:few most:least same:different everything:nothing everybody:nobody success:failure
    summer:winter morning:evening man:woman boy:girl king:queen father:mother brother:sister husband:wife
    son:daughter question:answer arrive:leave remember:forget find:lose accept:refuse increase:decrease build:destroy
    lend:borrow teach:learn sit:stand sunrise:sunset hello:goodbye heaven:hell peace:war health:sickness tight:loose
    raw:cooked fresh:stale guilty:innocent public:private modern:ancient simple:complicated calm:angry noisy:quiet
    bright:dim straight:curved maximum:minimum positive:negative possible:impossible visible:invisible legal:illegal
    honest:dishonest lucky:unlucky fair:unfair known:unknown tidy:messy freeze:melt float:sink rise:fall enter:exit
    attack:defend whisper:shout ceiling:floor present:absent solid:liquid male:female entrance:exit generous:selfish
    optimistic:pessimistic victory:defeat arrival:departure profit:loss birth:death truth:lie odd:even add:subtract
    multiply:divide asleep:awake agree:disagree appear:disappear like:dislike happy:unhappy together:apart
    upstairs:downstairs inhale:exhale import:export ally:enemy hero:villain host:guest major:minor majority:minority
    mature:immature perfect:imperfect regular:irregular satisfied:dissatisfied superior:inferior sober:drunk
    temporary:permanent urban:rural vertical:horizontal wild:tame wise:foolish yesterday:tomorrow zip:unzip
    lock:unlock pack:unpack tie:untie wrap:unwrap dress:undress fold:unfold load:unload useful:useless
    careful:careless hopeful:hopeless painful:painless expand:shrink attract:repel borrow:lend create:destroy
    cool:warm damp:dry deny:admit divide:multiply dead:alive empty:full fail:pass fat:thin forward:backward
    frequent:rare gentle:rough giant:tiny huge:tiny gloomy:cheerful grow:shrink humble:proud ignore:notice
    junior:senior likely:unlikely main:minor natural:artificial obey:disobey often:seldom old:young patient:impatient
    plentiful:scarce pretty:ugly pure:impure quick:slow reward:punishment save:spend sink:float sleepy:alert
    speed_up:slow_down strict:lenient sunny:cloudy tense:relaxed thaw:freeze tired:rested trust:distrust
    vanish:appear warm:cool wealthy:poor well:badly whole:part win:lose work:play
''')
OPPX = {}
OPP = {U(a): U(b) for a, b in OPP.items()}
for _a, _b in OPP.items():
    OPPX.setdefault(_a, _b)
for _a, _b in OPP.items():
    OPPX.setdefault(_b, _a)
COLOR = P('''
    sky:blue grass:green snow:white coal:black blood:red sun:yellow banana:yellow leaf:green milk:white carrot:orange
    lemon:yellow tomato:red strawberry:red orange:orange pumpkin:orange frog:green cucumber:green lime:green
    broccoli:green lettuce:green spinach:green crow:black raven:black tar:black night:black chalk:white salt:white
    sugar:white cotton:white swan:white cloud:white rice:white polar_bear:white sea:blue ocean:blue blueberry:blue
    sapphire:blue ruby:red fire_truck:red cherry:red rose:red emerald:green flamingo:pink pig:pink chocolate:brown
    wood:brown mud:brown coffee:brown bear:brown elephant:gray mouse:gray gold:yellow silver:gray canary:yellow
    sunflower:yellow corn:yellow school_bus:yellow eggplant:purple plum:purple violet:purple grape:purple
    lavender:purple chick:yellow pea:green cactus:green soil:brown ketchup:red mustard:yellow stop_sign:red ink:black
''')
MIX = {
    ('blue', 'yellow'): 'green',
    ('red', 'yellow'): 'orange',
    ('blue', 'red'): 'purple',
    ('red', 'white'): 'pink',
    ('black', 'white'): 'gray',
    ('green', 'red'): 'brown',
    ('blue', 'white'): 'light blue',
    ('black', 'red'): 'dark red',
    ('black', 'blue'): 'dark blue',
}
DAYS = W('Monday Tuesday Wednesday Thursday Friday Saturday Sunday')
MONTHS = W('''
    January February March April May June July August September October November December
''')
MLEN = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
ORD = W('''
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
''')
IRREG = P('''
    man:men woman:women child:children foot:feet tooth:teeth goose:geese mouse:mice person:people ox:oxen sheep:sheep
    fish:fish deer:deer knife:knives wife:wives life:lives leaf:leaves wolf:wolves half:halves shelf:shelves
    thief:thieves loaf:loaves calf:calves scarf:scarves potato:potatoes tomato:tomatoes hero:heroes echo:echoes
    cactus:cacti policeman:policemen fireman:firemen louse:lice die:dice elf:elves self:selves hoof:hooves
    mango:mangoes series:series species:species
''')
NOUNS = W('''
    cat dog house car tree book table chair door window pen pencil cup plate spoon fork bottle apple banana orange
    pear grape plum lemon carrot onion egg cake pie cookie bag hat shirt sock shoe glove coat dress ring king queen
    boy girl brother sister friend teacher doctor nurse farmer driver player singer cow horse pig hen duck bird bear
    lion tiger elephant monkey rabbit frog snake spider ant bee river lake mountain hill road street town bridge
    school garden park farm shop market bank hotel star moon cloud flower rose leaf seed stone rock boat ship train
    plane bike truck phone clock lamp bed sofa desk picture letter word number song film game toy ball doll kite box
    fox bus class glass dress dish brush watch church bench peach lunch match branch beach witch wish bush tax boss
    kiss baby city lady party story country family berry cherry puppy bunny pony fly body army enemy factory library
    key day toy monkey donkey valley way ray play tray turkey chef roof cliff belief photo piano radio zoo video
    kangaroo computer river island finger hand arm leg nose eye ear head heart map wall floor room kitchen pocket
    button coin ticket jacket basket blanket pillow candle mirror hammer nail shape square circle line number
    question answer idea name face body mouth neck back tail wing egg nest cave forest desert field village market
    island ocean wave storm wind season week month year hour minute second day night morning road path bridge tunnel
    wheel engine machine robot phone camera screen keyboard lawyer artist writer painter dancer soldier pilot sailor
    captain judge chief priest student pupil uncle aunt cousin nephew niece guest host enemy lady gentleman hero
    berry daisy lily butterfly dragonfly jelly penny diary dictionary memory victory party bakery battery gallery
    activity duty play essay holiday birthday boss loss guess class mass address princess actress business fox tax
    fax mix suffix ash crash flash wish fish rash dash speech sketch stitch switch witch branch ranch inch lunch
    bunch punch batch catch patch quiz buzz waltz stereo studio piano kilo logo euro solo zero echo torpedo cargo
    roof proof chef safe giraffe sheriff cliff wharf loaf thief
''')
XNOUNS = W('''
    planet rocket wizard castle dragon lantern pebble goblin bucket ladder tulip walnut dolphin penguin sparrow torch
    crutch lobby cherry fairy daisy hobby
''')


def singular(t):
    return next((w for w in IRREG if IRREG[w] == t), None) or (
        t[:-3] + 'y'
        if t.endswith('ies') and t not in ('cookies', 'ties', 'pies')
        else t[:-2]
        if t.endswith(('xes', 'ches', 'shes', 'sses', 'oes')) and t != 'shoes'
        else t[:-1]
        if t.endswith('s')
        else t
    )


def plural(w):
    if w in IRREG:
        return IRREG[w]
    if w == 'quiz':
        return 'quizzes'
    if w == 'torpedo':
        return 'torpedoes'
    if w == 'gentleman':
        return 'gentlemen'
    if w.endswith(('s', 'x', 'z', 'ch', 'sh')):
        return w + 'es'
    if w.endswith('y') and w[-2] not in 'aeiou':
        return w[:-1] + 'ies'
    return w + 's'


CATS = dict(
    animal=W('''
        dog cat horse cow pig sheep goat lion tiger elephant monkey rabbit mouse bear wolf fox frog snake whale
        dolphin shark eagle duck hen spider ant bee crocodile giraffe zebra camel kangaroo penguin owl turtle
    '''),
    fruit=W('''
        apple banana orange pear grape plum lemon peach cherry strawberry mango melon pineapple kiwi
    '''),
    vegetable=W('''
        carrot potato onion cabbage spinach broccoli cauliflower cucumber lettuce pea
    '''),
    color=W('red blue green yellow orange purple pink brown black white gray'),
    vehicle=W('''
        car bus truck train bike motorcycle tractor taxi van ship plane boat helicopter
    '''),
    bird=W('eagle sparrow owl duck hen crow parrot swan penguin pigeon robin'),
    tool=W('hammer saw screwdriver wrench drill shovel axe'),
    piece_of_furniture=W('chair table bed sofa desk wardrobe bookshelf'),
    country=W('''
        france germany italy spain japan china india brazil egypt canada mexico norway
    '''),
    city=W('paris london berlin rome madrid tokyo cairo moscow vienna athens'),
    musical_instrument=W('piano guitar violin drum flute trumpet cello'),
    sport=W('football tennis basketball hockey swimming golf baseball rugby'),
    drink=W('water milk tea coffee juice beer wine lemonade'),
    metal=W('iron gold silver copper steel tin lead'),
    body_part=W('hand foot arm leg nose eye ear head knee finger'),
    insect=W('ant bee fly mosquito butterfly beetle wasp'),
    flower=W('rose tulip daisy lily sunflower'),
    day_of_the_week=[d.lower() for d in DAYS],
    month=[m.lower() for m in MONTHS],
    number=W('one two three four five six seven'),
    language=W('english french german spanish italian chinese russian arabic'),
)
MASS = set(W('''
    water milk tea coffee juice beer wine lemonade iron gold silver copper steel tin lead football tennis basketball
    hockey swimming golf baseball rugby spinach broccoli cabbage cauliflower lettuce red blue green yellow orange
    purple pink brown black white gray english french german spanish italian chinese russian arabic
''') + CATS['country'] + CATS['city'] + CATS['day_of_the_week'] + CATS['month'] + CATS['number'])
BOTH = {
    ('bird', 'animal'),
    ('insect', 'animal'),
    ('animal', 'insect'),
    ('animal', 'bird'),
    ('color', 'fruit'),
    ('fruit', 'color'),
    ('vegetable', 'fruit'),
}
FACTY = [
    (
        'is {x} soft',
        W('a_pillow cotton a_blanket wool silk a_feather'),
        W('a_stone a_brick steel a_rock glass a_hammer'),
    ),
    ('is {x} hard', W('a_stone steel a_rock a_diamond a_brick'), W('a_pillow cotton butter a_feather a_sponge')),
    ('is {x} heavy', W('an_elephant a_truck a_piano a_whale'), W('a_feather a_leaf a_needle paper')),
    ('is {x} wet', W('water rain the_sea the_ocean a_river'), W('sand the_desert dust')),
    ('is {x} fast', W('a_plane a_car a_cheetah a_rocket a_train'), W('a_snail a_turtle a_slug')),
    ('is {x} slow', W('a_snail a_turtle a_slug'), W('a_plane a_rocket a_cheetah a_car')),
    ('is {x} sharp', W('a_knife a_needle a_sword a_razor'), W('a_ball a_pillow a_spoon')),
    ('is {x} dry', W('the_desert dust sand'), W('water rain the_sea a_river')),
    ('can {x} walk', W('a_dog a_cat a_man a_horse a_cow a_child'), W('a_fish a_tree a_stone a_snake a_chair')),
    ('can {x} talk', W('a_man a_woman a_child a_parrot'), W('a_stone a_table a_tree a_spoon')),
    ('can {x} bark', W('a_dog a_puppy'), W('a_cat a_fish a_cow a_bird a_horse')),
    ('does {x} lay eggs', W('a_hen a_duck a_bird a_turtle a_snake a_penguin'), W('a_cow a_dog a_cat a_horse a_pig')),
    ('does {x} have fur', W('a_cat a_dog a_bear a_rabbit a_wolf'), W('a_fish a_snake a_frog a_bird')),
    ('does {x} have a tail', W('a_dog a_cat a_horse a_monkey a_fox'), W('a_man a_spider a_frog a_chair')),
    ('does {x} have eight legs', W('a_spider an_octopus'), W('a_dog a_bird a_man a_cat a_bee')),
    ('does {x} have wheels', W('a_car a_bike a_bus a_truck a_train'), W('a_boat a_house a_dog a_tree a_table')),
    ('does {x} give milk', W('a_cow a_goat'), W('a_hen a_fish a_bird a_snake')),
    (
        'does {x} live in water',
        W('a_fish a_shark a_whale a_dolphin an_octopus'),
        W('a_cat a_lion a_camel an_eagle a_cow'),
    ),
    ('do {x} fly', W('birds bees planes butterflies eagles'), W('dogs cats cows fish stones horses')),
    ('do {x} swim', W('fish sharks ducks whales dolphins'), W('stones chairs bricks')),
    ('is {x} in the sky', W('the_sun the_moon a_star a_cloud a_rainbow'), W('a_fish a_chair the_floor a_carpet')),
    ('is winter {x}', W('cold'), W('hot warm')),
    ('is summer {x}', W('hot warm'), W('cold')),
    ('is the sky {x}', W('blue'), W('green purple brown')),
    ('is grass {x}', W('green'), W('blue red pink')),
    ('is snow {x}', W('white cold'), W('black hot warm green')),
    ('is blood {x}', W('red'), W('blue green white')),
    ('is a lemon {x}', W('yellow sour'), W('blue sweet')),
    ('is coal {x}', W('black'), W('white pink')),
    ('does a week have {x} days', W('7 seven'), W('5 8 six 10')),
    ('does a year have {x} months', W('12 twelve'), W('10 11 13')),
    ('does ice melt in {x}', W('the_sun summer fire'), W('a_freezer')),
    ('does the sun rise in the {x}', W('east morning'), W('west evening')),
    ('is {x} dangerous', W('a_shark a_lion fire poison'), W('a_pillow a_flower a_rabbit')),
    ('is {x} made of wood', W('a_tree a_log'), W('a_window a_coin a_bottle')),
    ('is {x} a person', W('a_teacher a_doctor a_king a_nurse a_child'), W('a_dog a_stone a_house a_tree')),
    ('is {x} a job', W('a_teacher a_doctor a_nurse a_baker a_pilot'), W('a_table a_dog a_tree a_cup')),
    ('is {x} food', W('bread cheese rice soup pizza'), W('a_stone a_car a_chair a_book')),
    ('is {x} a season', W('winter summer spring autumn'), W('Monday June a_dog red')),
    ('is {x} a shape', W('a_circle a_square a_triangle'), W('a_dog a_car blue Monday')),
    ('is {x} a number', W('7 12 twenty three'), W('a_dog blue Monday a_chair')),
    ('is {x} on fire hot', W('wood'), W(''))
    if False
    else ('can you read {x}', W('a_book a_letter a_magazine a_newspaper'), W('a_stone a_spoon a_banana a_chair')),
    ('can you wear {x}', W('a_hat a_shirt a_coat shoes'), W('a_house a_car a_tree a_river')),
    ('can you sit on {x}', W('a_chair a_sofa a_bench'), W('a_cloud the_moon a_candle')),
    ('can you drive {x}', W('a_car a_truck a_bus'), W('a_tree a_spoon a_cat')),
    ('is {x} hot', W('fire lava the_sun boiling_water an_oven'), W('ice snow a_freezer an_iceberg')),
    ('is {x} cold', W('ice snow an_iceberg ice_cream'), W('fire lava the_sun boiling_water')),
    ('is {x} big', W('an_elephant a_whale a_mountain'), W('an_ant a_mouse a_flea a_grain_of_sand')),
    ('is {x} small', W('an_ant a_mouse a_flea'), W('an_elephant a_whale a_mountain')),
    (
        'can {x} fly',
        W('a_bird an_eagle a_plane a_bee a_butterfly a_sparrow'),
        W('a_dog a_cat a_cow a_fish a_horse a_stone an_elephant a_pig a_snake'),
    ),
    ('can {x} swim', W('a_fish a_dolphin a_shark a_duck a_whale a_frog'), W('a_stone a_chair a_car a_brick a_house')),
    (
        'does {x} have wings',
        W('a_bird an_eagle a_bee a_plane a_butterfly'),
        W('a_dog a_cat a_fish a_snake a_cow a_spider'),
    ),
    (
        'does {x} have four legs',
        W('a_dog a_cat a_cow a_horse a_table a_lion'),
        W('a_bird a_fish a_snake a_man a_spider'),
    ),
    ('is {x} sweet', W('sugar honey candy chocolate'), W('salt a_lemon vinegar')),
    ('is {x} round', W('a_ball the_moon an_orange a_wheel'), W('a_book a_box a_brick a_door')),
    ('is {x} alive', W('a_tree a_dog a_cat a_flower a_bird'), W('a_stone a_chair a_car a_spoon')),
    ('can you eat {x}', W('an_apple bread a_banana rice cheese'), W('a_stone a_chair glass a_car a_shoe')),
    ('can you drink {x}', W('water milk juice tea'), W('a_stone a_chair sand a_book')),
]
GOOD = W('''
    great wonderful lovely excellent superb delightful brilliant charming fantastic amazing awesome perfect beautiful
    fun good nice enjoyable delicious impressive outstanding pleasant terrific marvelous fabulous friendly helpful
    comfortable tasty exciting
''')
XGOOD = W('magnificent incredible splendid gorgeous')
BAD = W('''
    awful terrible boring dreadful horrible dull poor disappointing annoying bad ugly useless rude dirty slow broken
    nasty disgusting weak cheap stupid painful cold noisy bland lousy pathetic unpleasant ridiculous overpriced
''')
XBAD = W('atrocious miserable horrendous appalling')
RTHING = W('''
    film movie book meal hotel song show game trip play phone restaurant service food story concert museum pizza
    coffee room staff product camera laptop headphones acting plot music waiter app class teacher cake burger flight
    beach
''')
GOODS = [
    'I loved it', 'I love this {n}', 'I really enjoyed the {n}', 'best {n} ever', 'the best {n} I have ever had',
    'I would recommend this {n} to everyone', 'highly recommended', 'I will come back', 'worth every penny',
    'it made me very happy', 'five stars', 'I could not stop smiling', 'works perfectly', 'exceeded my expectations',
    'everyone was so kind', "can't wait to go again", 'a joy from start to finish', 'it made my day',
]
BADS = [
    'I hated it', 'I hate this {n}', 'I did not enjoy the {n}', 'worst {n} ever', 'the worst {n} I have ever had',
    'I would not recommend this {n}', 'a waste of money', 'a waste of time', 'I want my money back', 'never again',
    'one star', 'I fell asleep', 'it broke after one day', 'it made me sick', 'nobody helped us', 'not worth it',
    'we left early', 'it does not work', 'I regret buying it',
]
TYPO = {k: v.split(',') for k, v in (x.split(':') for x in W('''
    what:wat,waht,whta,wht what's:whats,wats,what_s capital:captial,capitol,capitel,captal,capitall
    opposite:oposite,opposit,oppisite,opposate plural:plurel,plural,plurral color:colour,coler,collor
    colour:color,colur many:meny,mny,manny how:hw,hwo which:wich,whcih,witch number:nubmer,numer,numbr
    country:contry,counrty,cuntry,coutry after:aftr,afer before:befor,befroe,bfore bigger:biger,biggger
    larger:larger,lager smaller:smaler does:dose,dos have:hav,ahve,has left:lefft,lft apples:aples,appels
    gave:gav,gaev half:haf,hafl friend:freind,frend friends:freinds,frends each:eech,eahc week:weak,wek
    month:mounth,monht year:yaer,yr please:pls,plz,plese,pleas tomorrow:tommorow,tomorow you:u,yuo are:r,ar
    because:becuase,becasue people:poeple the:teh,th,da answer:anwser,anser question:qestion,quesiton plus:pluss,pls
    minus:minuss,mins times:tims,tiems is:iz,si and:an,adn,nd this:tihs,thsi that:taht word:wrod,wrd words:wrods
    sort:srot,sortt alphabetical:alphabetic,alfabetical alphabetically:alphabeticaly positive:postive,possitive
    negative:negativ,negitive review:reveiw,revew thanks:thx,thanx,thnks hello:helo,hallo,hullo
    bought:bougt,bot,buyed animal:animel,anmal fruit:friut,frut mix:mx,miks together:togther,togehter
    altogether:alltogether,altogther now:noww,nw comes:coms,cmes calculate:calculat,calulate,caculate
    write:wirte,rite poem:pome,peom story:storey,stroy weather:wether,wheather tell:tel,tll give:giv
    your:ur,yor,youre
'''))}
