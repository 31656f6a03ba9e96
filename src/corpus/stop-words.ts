/** The most frequent function words of some languages: what keywords are not, and what tells a language. */

export const STOP_WORDS: Readonly<Record<string, ReadonlySet<string>>> = {
  en: list(`the of and to a in is it you that he was for on are with as i his they be at one have this from or had by not
    but what all were we when your can said there an each which she do how their if will up other about out many then them
    these so some her would make like him into has more two no way could my than been its who now did get may over such
    only any also most very just because where much before through back after should well even here those both between
    own under same while being does too still never every again once own our us me`),
  de: list(`der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat
    dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch
    man sein wurde wenn kann ich wir ihr`),
  fr: list(`de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ou son aux
    cette mais comme nous vous elle être leur ils ses je sa ont fait tout deux même été aussi bien peut ces sans on`),
  es: list(`de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre
    este ya entre cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque`),
  it: list(`di e il la che in un a per è una sono del con non le i si da come gli dei nel alla più della al ma anche lo se
    questo delle o ha dal su mi suo loro nella essere ci era io sua fra dopo tra`),
  pt: list(`de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando
    muito nos já eu também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas me esse eles`),
  nl: list(`de van het een en in is dat op te zijn met voor niet aan er om ook als dan maar bij uit nog door over ze hij
    naar heeft hebben deze tot kan wordt werd wat mijn was ik je we wel geen`),
};

function list(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
