"""The passwords of eight and more characters that are guessed first, in lower case.

Drawn from what published lists of leaked passwords share, and from the words of this trade.
"""

WORST = frozenset(
    """
00000000 0987654321 10203040 11111111 11112222 11223344 12121212 121212121 123123123 123321123
12341234 12344321 12345678 123456789 1234567890 12345678910 123654789 13131313 147258369 19801980
19901990 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 20002000 20202020 22222222 33333333 44444444 55555555
66666666 77777777 777777777 87654321 88888888 987654321 99999999 a1b2c3d4 aa123456 abc12345
abcd1234 admin123 admin1234 adminadmin administrator alexander amanda123 america1 andreas1
arsenal1 asdf1234 asdfasdf asdfghjk asdfghjkl ashley123 australia autumn123 azerty123 azertyui
azertyuiop babygirl barcelona baseball basketball batman12 bayern123 berlin123 blink182 borussia1
boss1234 buster123 butterfly california changeme changeme1 changeme123 charlie1 cheese123 chef1234
chelsea1 chicago1 chocolate christian cncstation cncstation1 computer computer1 contrasena
contraseña cookies1 corvette counter1 crystal1 daniel123 december1 default1 deutschland diamond1
dortmund dragon123 drehen123 eagle123 elephant1 england1 espana123 everything fabrik123 facebook
facebook1 factory1 factory123 falcon123 fanuc123 ferrari1 flowers1 football football1 forever1
fraesen1 france123 frankfurt freedom1 fruehling garden123 gcode123 geheim123 ginger123 golden123
goodluck google123 guest123 haas1234 hallo123 hallowelt hamburg1 harley123 heidenhain hello123
herbst123 hockey123 hunter123 ilovegod iloveyou internet italia123 january1 jasmine1 jennifer
jessica1 jessica123 jordan23 juventus killer123 lathe123 letmein1 letmein123 liebling lightning
linkedin linuxcnc liverpool lkjhgfdsa lollipop london123 loveyou1 lucky777 mach3mach mach4mach
machine1 machineshop martin123 maschine maschine1 master123 matrix123 maverick meister123 mercedes
michael1 michael123 michelle microsoft milling1 minecraft mnbvcxz1 monday123 monkey123 motdepasse
muenchen mustang1 newyork1 nicole123 nintendo nokia123 nothing1 operator operator1 operator123
p4ssw0rd passw0rd password password! password1 password12 password123 passwort passwort1
passwort123 pepper123 phoenix1 platinum playstation poiuytrewq pokemon1 porsche1 princess q1w2e3r4
qazwsxedc qweasd123 qweasdzxc qwer1234 qwerqwer qwerty123 qwertyui qwertyuiop qwertz123 qwertzui
qwertzuiop rainbow1 ranger123 realmadrid remember rootroot samantha samsung1 schalke04 schatz123
sebastian secret123 setup123 shadow123 siemens1 silver123 sinumerik soccer123 soldier1 something
sommer123 spindle1 spring123 starwars starwars1 station1 station123 stefan123 summer123 sunflower
sunshine superman supervisor supervisor1 sweetheart test1234 testing123 testtest thomas123
thunder1 tigger123 toolpath toor1234 topsecret tormach1 trustno1 twitter1 victoria1 warcraft1
welcome1 welcome123 werkstatt werkstatt1 whatever willkommen willkommen1 windows1 windows10
windows11 winter123 workshop workshop1 xbox360x youtube1 yxcvbnm1 zaq12wsx zxcvbnm1 zxcvbnm123
""".split()  # noqa: SIM905 - a line a word would fill a screen ten times
)
