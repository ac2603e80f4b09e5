using Taba.Grains;
using Taba.Silo.Devices;
using Taba.Silo.Models;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Models;

public sealed class ModelsHereTests : IDisposable
{
    readonly TestFolder _folder = new();
    readonly ModelCatalogue _catalogue = new(SiloDevices.Resolve("cpu")[0], null);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_SameFilesAtThePlannersPath_IsThat()
    {
        var model = _catalogue.Resolve(new(Gaussian("model.json", deviation: 0.5))).Identity;
        Assert.Equal(model, new ModelsHere(_catalogue).Of(model));
    }

    [Fact]
    public void Of_AnotherModelAtThePlannersPath_IsRefusedAndNamesBoth()
    {
        var path = Gaussian("model.json", deviation: 0.5);
        var wanted = _catalogue.Resolve(new(path)).Identity;
        Gaussian("model.json", deviation: 0.25);
        var there = _catalogue.Resolve(new(path)).Identity;

        var message = Assert.Throws<BadInputException>(() => new ModelsHere(_catalogue).Of(wanted)).Message;
        Assert.Contains(wanted.Digest, message, StringComparison.Ordinal);
        Assert.Contains(there.Digest, message, StringComparison.Ordinal);
        // Once the right files are there they are used: a refusal is not remembered.
        Gaussian("model.json", deviation: 0.5);
        Assert.Equal(wanted.Path, new ModelsHere(_catalogue).Of(wanted).Path);
    }

    [Fact]
    public void Of_ANameThatThisMachineHasElsewhere_IsFoundThere()
    {
        var here = _catalogue.Resolve(new("demo")).Identity;
        var planned = here with { Path = _folder["elsewhere", "model.json"], WeightsPath = _folder["elsewhere", "weights.safetensors"] };
        Assert.Equal(here, new ModelsHere(_catalogue).Of(planned));
    }

    [Fact]
    public void Of_APathThatIsNotHere_IsRefused()
    {
        var path = Gaussian("model.json", deviation: 0.5);
        var wanted = _catalogue.Resolve(new(path)).Identity;
        File.Delete(path);
        Assert.Contains(
            path, Assert.Throws<BadInputException>(() => new ModelsHere(_catalogue).Of(wanted)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_PlannerInThisProcess_IsTakenAsItIs()
    {
        var model = _catalogue.Resolve(new("demo")).Identity with { Path = "anything" };
        Assert.Same(model, new ModelsHere(null).Of(model));
    }

    string Gaussian(string name, double deviation)
    {
        var path = _folder[name];
        File.WriteAllText(path, System.FormattableString.Invariant($$"""
            { "family": "gaussian", "image_size": 16, "channels": 3, "mean": 0.1, "deviation": {{deviation}},
              "diffusion_steps": 1000, "noise_schedule": "linear", "rescale_timesteps": false }
            """));
        return path;
    }
}
