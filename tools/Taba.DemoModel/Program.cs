using Taba.DemoModel;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

const string Usage = """
    taba-demo-model: the small model that ships with Taba

      draw   --out FILE.png [--count N]                          training pictures, to look at
      train  --out FOLDER [--minutes M] [--batch-size B] [--learning-rate R] [--torso float32|bfloat16]
                                                                  trains, or goes on training, in FOLDER
      export --state FOLDER --out FILE.safetensors               the averaged weights as float16
      sample --state FOLDER --out FILE.png [--count N] [--steps T] [--seed S]
    """;

TorchProcess.Configure();
if (args.Length == 0 || args.Length % 2 == 0)
    return Fail(Usage);
var given = new Dictionary<string, string>();
for (var i = 1; i < args.Length; i += 2)
    given[args[i]] = args[i + 1];

switch (args[0])
{
    case "draw":
        {
            var pictures = new float[int.Parse(Option("--count", "64")) * ShapePictures.Elements];
            for (var i = 0; i < pictures.Length / ShapePictures.Elements; i++)
                ShapePictures.Draw((ulong)i, pictures.AsSpan(i * ShapePictures.Elements, ShapePictures.Elements));
            PictureGrid.Save(pictures, columns: 8, zoom: 2, Option("--out"));
            return 0;
        }

    case "train":
        {
            var options = new TrainingOptions(
                double.Parse(Option("--minutes", "105")),
                int.Parse(Option("--batch-size", "32")),
                double.Parse(Option("--learning-rate", "4e-4")),
                Option("--torso", "float32") == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32,
                StateFile(Option("--out")));
            using var trainer = new Trainer(options);
            trainer.Run(Console.Out);
            return 0;
        }

    case "export":
        {
            using var state = TrainingState.Read(StateFile(Option("--state")));
            SafetensorsArchive.Write(
                Option("--out"), ScalarType.Float16, AdmParameters.Expected(DemoArchitecture.Config), name => state.Average.View(name));
            return 0;
        }

    case "sample":
        {
            using var state = TrainingState.Read(StateFile(Option("--state")));
            using var network = AdmUnet.Load(DemoArchitecture.Config, state.Average, CPU, ScalarType.Float32);
            using var samples = Sampler.Sample(
                network, int.Parse(Option("--count", "64")), int.Parse(Option("--steps", "50")), ulong.Parse(Option("--seed", "0")));
            PictureGrid.Save(samples.data<float>().ToArray(), columns: 8, zoom: 2, Option("--out"));
            return 0;
        }

    default:
        return Fail(Usage);
}

string Option(string name, string? otherwise = null) =>
    given.TryGetValue(name, out var value) ? value : otherwise ?? throw new ArgumentException($"{args[0]} needs {name}.");

static string StateFile(string folder) => Path.Combine(folder, "training.state");

static int Fail(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
