"""A request in plain words is understood: how many items, of which kinds, at what cost, how long, on what."""

from __future__ import annotations

import pytest

from app import wish

UNDERSTOOD = [
    ("two papers on Raft", "paper · 2 · Raft"),
    ("three videos about Kubernetes", "video · 3 · Kubernetes"),
    ("a couple of articles on caching", "article · 2 · caching"),
    ("one or two papers about MapReduce, please", "paper · 1-2 · MapReduce"),
    ("2-3 papers on ranking", "paper · 2-3 · ranking"),
    ("top 5 videos for system design", "video · 5 · system design"),
    ("the three best papers on embeddings", "paper · 3 · embeddings"),
    ("just one article on SOLID", "article · 1 · SOLID"),
    ("max 3, feature stores", "at most 3 · feature stores"),
    ("feature stores, at most two", "at most 2 · feature stores"),
    ("no more than four articles on CI/CD", "article · at most 4 · CI/CD"),
    ("up to 5 videos on Uber", "video · at most 5 · Uber"),
    ("consensus, 3 max", "at most 3 · consensus"),
    ("consensus, three or fewer", "at most 3 · consensus"),
    ("one paper is enough: sharding", "paper · 1 · sharding"),
    ("sharding, one is plenty", "1 · sharding"),
    ("a single text on drift will do", "text · 1 · drift"),
    ("one video and one paper on Horovod", "video, paper · 2 · Horovod"),
    ("one video, one article, one short summary: Netflix", "video, article, note · 3 · Netflix"),
    ("a paper and a video about TAO", "paper, video · 2 · TAO"),
    ("two articles plus one video on Dropbox", "article, article, video · 3 · Dropbox"),
    ("an article on two-tower models", "article · two-tower models"),
    ("papers on two-phase commit", "paper · two-phase commit"),
    ("four golden signals", "four golden signals"),
    ("three tier architecture", "three tier architecture"),
    ("two hours of videos on SOLID", "video · 120 min · SOLID"),
    ("30 minutes on caching", "30 min · caching"),
    ("twenty minutes, drift", "20 min · drift"),
    ("forty-five minutes: allreduce", "45 min · allreduce"),
    ("tonight, two hours, Kubernetes", "120 min · Kubernetes"),
    ("a 40 minute train ride, recommender systems", "40 min · a train ride, recommender systems"),
    ("nothing longer than 15 minutes on caching", "15 min each at most · caching"),
    ("articles about caching, nothing over half an hour", "article · 30 min each at most · caching"),
    ("max 20 minutes each, design questions", "20 min each at most · design questions"),
    ("free books on machine learning", "book · free · machine learning"),
    ("any free course on Docker?", "course · free · Docker"),
    ("a book on system design that is free", "book · free · system design"),
    ("books on distributed systems, nothing to pay", "book · free · distributed systems"),
    ("I can't pay for it: MLOps", "free · MLOps"),
    ("something about Spark for free", "free · Spark"),
    ("without paying: data engineering", "free · data engineering"),
    ("lock-free data structures", "lock-free data structures"),
    ("paid courses for system design", "course · system design"),
    ("not blog posts, Spanner", "no article · Spanner"),
    ("papers, not articles, about Bigtable", "paper · no article · Bigtable"),
    ("labs rather than prose on ECS", "workshop · no text · ECS"),
    ("no text, just videos on Kubernetes", "video · no text · Kubernetes"),
    ("I hate videos; show me articles on SOLID", "article · no video · SOLID"),
    ("text only, please: TinyURL", "no video · TinyURL"),
    ("summary of model serving", "note · model serving"),
    ("a short summary of caching is enough", "note · 1 · caching"),
    ("cheat sheets for system design", "cheat sheets for system design"),
    ("never used Docker, where do I start?", "for beginners · Docker"),
    ("I'm new to Kubernetes", "for beginners · Kubernetes"),
    ("completely new to MLOps, one hour", "60 min · for beginners · MLOps"),
    ("a gentle introduction to attention", "for beginners · attention"),
    ("advanced papers on ranking", "paper · ranking"),
    ("I know what a pod is; services and ingress", "I know what a pod is; services and ingress"),
    ("skip the basics: parameter servers", "parameter servers"),
    ("basics only, operating systems", "for beginners · operating systems"),
    ("for beginners: SQL", "for beginners · SQL"),
    ("SQL for experts", "SQL"),
    ("my interview is on Monday: caching, two articles", "article · 2 · caching"),
    ("my model forgets old users", "my model forgets old users"),
    ("our pipeline breaks every night", "our pipeline breaks every night"),
    ("we have an onsite next week about ranking", "ranking"),
    ("what do I look at for a behavioural round?", "a behavioural"),
    ("repos about scalability", "repository · scalability"),
    ("courses only, AWS", "course · AWS"),
    ("practice sites for graphs", "practice · graphs"),
    ("a workshop on CloudFormation", "workshop · CloudFormation"),
    ("one lab on blue/green, nothing else", "workshop · 1 · blue/green"),
    ("give me three texts about active learning", "text · 3 · active learning"),
    ("show me two papers and nothing more on DeepFM", "paper · 2 · show me , DeepFM"),
    ("recommend me a book on clean code", "book · clean code"),
    ("is there a talk on distributed training?", "video · distributed training"),
    ("lectures on MLOps, max two", "video · at most 2 · MLOps"),
    ("videos or papers on Horovod, two or three", "paper or video · 2-3 · Horovod"),
    ("no courses, no books, ML design", "no book or course · ML design"),
    ("at least three papers on storage", "paper · at least 3 · storage"),
    (
        "two or three classic papers about consensus and lock services, not blog posts",
        "paper · no article · 2-3 · consensus and lock services",
    ),
    ("exploration vs exploitation, one good text is enough", "text · 1 · exploration vs exploitation"),
    ("DDD and clean architecture, articles only, max 4", "article · at most 4 · DDD and clean architecture"),
    ("any book on ML interviews that costs nothing?", "book · free · ML interviews"),
    ("what do I look at for the 'tell me about a time' round?", "'tell me about a time'"),
    ("my model rots in production: readings on noticing it", "my model rots in production: noticing it"),
    ("our trainings die whenever a GPU box does", "our trainings die whenever a GPU box does"),
    ("Netflix design: one video, one article, one short summary", "video, article, note · 3 · Netflix design"),
    ("never touched kubernetes, I have two hours", "120 min · for beginners · kubernetes"),
    (
        "one paper on placing keys on cache servers so that few of them move, nothing else",
        "paper · 1 · placing keys on cache servers so that few of them move",
    ),
    (
        "three papers on where big companies keep their data, the classics",
        "paper · 3 · where big companies keep their data",
    ),
    (
        "nothing to pay and at most three: something long on data engineering",
        "at most 3 · free · something long on data engineering",
    ),
    (
        "is there a free book about training or serving big models on accelerators?",
        "book · free · training or serving big models on accelerators",
    ),
    (
        "they will ask me how my pods find each other, 40 minutes, never did networking in a cluster",
        "40 min · for beginners · how my pods find each other , networking in a cluster",
    ),
    (
        "the deploy went wrong, how do people go back? labs rather than prose, at most four",
        "workshop · no text · at most 4 · deploy went wrong, how do people go back",
    ),
    (
        "half an hour before bed: why is everybody talking about attention, one text",
        "text · 1 · 30 min · before bed: why is everybody talking about attention",
    ),
    (
        "our labels cost a fortune, how do I learn with few of them? two or three texts",
        "text · 2-3 · our labels cost a fortune, how few of them",
    ),
    (
        "what will the recruiter and the panel look at besides code?",
        "what will the recruiter and the panel look at besides code",
    ),
    (
        "the service we call keeps timing out and takes us down with it, patterns for that please, no videos",
        "no video · service we call keeps timing out and takes us down with it, patterns for that",
    ),
    ("one video and one article on designing Dropbox", "video, article · 2 · designing Dropbox"),
    (
        "questions to test myself on statistics and linear algebra, no more than five",
        "at most 5 · questions to test myself on statistics and linear algebra",
    ),
    (
        "why do jobs on 16 GPUs hang, and how do people debug that? one is enough",
        "1 · why do jobs on 16 GPUs hang, and how do people debug that",
    ),
    (
        "I know what a transformer is; give me two deep reads on making it answer faster",
        "2 · I know what a transformer is; , making it answer faster",
    ),
    (
        "A/B tests of models: short pieces only, nothing over twenty minutes",
        "20 min each at most · A/B tests of models: short pieces only",
    ),
    ("distributed training before Friday", "distributed training"),
    ("an hour on allreduce and collective operations", "60 min · allreduce and collective operations"),
    ("videos about designing TinyURL", "video · designing TinyURL"),
    ("prepare me for a design WhatsApp question", "design WhatsApp question"),
    (
        "Netflix system design: video streaming and their cache",
        "Netflix system design: video streaming and their cache",
    ),
    ("ride hailing design, two hours", "120 min · ride hailing design"),
    ("designing Dropbox or Google Drive, no videos please", "no video · designing Dropbox or Google Drive"),
    ("news feed system design (facebook, tiktok)", "news feed system design (facebook, tiktok)"),
    ("caching", "caching"),
    ("feature stores for an MLOps interview", "feature stores"),
    ("how models are served to millions of users", "how models are served to millions of users"),
    ("papers on recommender systems", "paper · recommender systems"),
    ("search ranking and embedding based retrieval", "search ranking and embedding based retrieval"),
    ("SOLID principles, videos only", "video · SOLID principles"),
    ("software design and architecture, but no books", "no book · software design and architecture"),
    ("microservices and cloud patterns", "microservices and cloud patterns"),
    ("Kubernetes basics in 90 minutes", "90 min · Kubernetes basics"),
    ("Kubernetes interview question videos", "video · Kubernetes interview question"),
    ("hands-on workshops for CI/CD on AWS", "workshop · CI/CD on AWS"),
    ("MLOps crash course", "MLOps crash course"),
    ("infrastructure as code with CloudFormation", "infrastructure as code with CloudFormation"),
    ("refresh operating systems and CS fundamentals tonight", "operating systems and CS fundamentals"),
    ("coding interview preparation", "coding interview preparation"),
    ("ML system design round next week, 4 hours", "240 min · ML system design"),
    ("machine learning fundamentals, basics only", "for beginners · machine learning fundamentals"),
    (
        "half an hour on CS fundamentals: processes and threads, TCP, indexes",
        "30 min · CS fundamentals: processes and threads, TCP, indexes",
    ),
    ("sites where i can practise coding problems, nothing to read please", "practice · no text · coding problems"),
    ("dynamic programing, i always fail these", "dynamic programing"),
    ("20 minutes until my phone screen, quick ML theory refresher", "20 min · ML theory"),
    (
        "deep learning interview questions with worked solutions",
        "deep learning interview questions with worked solutions",
    ),
    (
        "tired of reading. anything to watch on machine learning from the start?",
        "video · tired of reading. on machine learning from the start",
    ),
    (
        "I have never used AWS and want to try it hands-on this weekend",
        "for beginners · AWS and want to try it hands-on",
    ),
    ("workshops on monitoring and observability in AWS", "workshop · monitoring and observability in AWS"),
    ("governance of many AWS accounts", "governance of many AWS accounts"),
    (
        "two hours tonight: tinyurl, whatsapp, uber and netflix designs, written ones, I can't watch videos here",
        "no video · 120 min · tinyurl, whatsapp, uber and netflix designs",
    ),
    ("system design videos for a long train ride", "video · system design a long train ride"),
    ("45 minutes left before my system design round", "45 min · system design"),
    ("evcache", "evcache"),
    ("Gang of Four design patterns", "Gang of Four design patterns"),
    (
        "liskov substitution and interface segregation, theory and C# code",
        "liskov substitution and interface segregation, theory and C# code",
    ),
    (
        "which books should I order for a software engineer interview? only books",
        "book · a software engineer interview",
    ),
    ("software testing, also how ML code is tested", "software testing, also how ML code is tested"),
    ("ECS and EKS, workshops only", "workshop · ECS and EKS"),
    (
        "blue/green and canary, and how i would really do them on aws",
        "blue/green and canary, and how i would really do them on aws",
    ),
    ("courses on docker and kubernetes", "course · docker and kubernetes"),
    ("CI/CD pipelines but no workshops, I have no AWS account", "no workshop · CI/CD pipelines"),
    (
        "put a python model behind an API with docker, step by step",
        "put a python model behind an API with docker, step by step",
    ),
    (
        "data engineering for a ML platform job (kafka, spark, batch vs streaming)",
        "data engineering for a ML platform job (kafka, spark, batch vs streaming)",
    ),
    ("one hour on model monitoring, drift and when to retrain", "60 min · model monitoring, drift and when to retrain"),
    ("how does uber run machine learning at scale", "how does uber run machine learning at scale"),
    ("everything you have by Chip Huyen", "everything you have by Chip Huyen"),
    ("paramter server or allreduce? something to read, not watch", "no video · paramter server or allreduce"),
    ("horovod in 30 min, no videos", "no video · 30 min · horovod"),
    (
        "training a model that doesn't fit on one GPU: tensor parallel, pipeline parallel, ZeRO",
        "training a model that doesn't fit on one GPU: tensor parallel, pipeline parallel, ZeRO",
    ),
    ("github repos about building large scale systems", "repository · building large scale systems"),
    (
        "how do I draw the architecture in the interview, and in which order",
        "how do I draw the architecture in the interview, and in which order",
    ),
    ("is there a paid course for design rounds? courses only", "course · design"),
    (
        "2 hours, papers about search at amazon, linkedin and facebook",
        "paper · 120 min · search at amazon, linkedin and facebook",
    ),
    ("Recommender round at Netflix on Monday and I have 3 hours", "180 min · Recommender at Netflix"),
    ("offline metrics vs a/b tests, why don't they agree", "offline metrics vs a/b tests, why don't they agree"),
]


@pytest.mark.parametrize(("request_", "line"), UNDERSTOOD)
def test_what_is_asked_for_is_said_in_a_line(request_, line):
    assert wish.read(request_).understood == line


def test_there_are_enough_requests():
    assert len(UNDERSTOOD) >= 120


@pytest.mark.parametrize(
    ("request_", "each"),
    [
        ("one video, one article, one short summary: Netflix", ["video", "article", "note"]),
        ("a paper and a video about TAO", ["paper", "video"]),
        ("two articles plus one video on Dropbox", ["article", "article", "video"]),
        ("two articles on Dropbox", []),
    ],
)
def test_a_kind_an_item_is_understood(request_, each):
    asked = wish.read(request_)
    assert all(kind in kinds for kind, kinds in zip(each, asked.each, strict=True))
