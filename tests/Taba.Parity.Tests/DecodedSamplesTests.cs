using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>
/// What upstream's scripts decode of their own samples, so that the states' scale is theirs: DiT's are divided by the scaling factor,
/// LDM's are decoded as they are, whatever factor its config names.
/// </summary>
public sealed class DecodedSamplesTests
{
    static readonly string[] s_components = ["vqvae", "vae"];

    static readonly string[] s_pictures = ["samples_decoded", "decoded_samples"];

    /// <summary>Runs whose samples and pictures are stored, with the name of the pictures.</summary>
    public static TheoryData<string, string> Runs
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var run in E2eCase.Discover(scripts: true))
            {
                var stored = E2eCase.Read(run).Tensors;
                foreach (var pictures in s_pictures.Where(name => stored.Has(name) && stored.Has("samples")))
                    data.Add(run, pictures);
            }
            return data;
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Decode_SamplesOfTheReferenceScript_ItsPictures(string run, string decoded)
    {
        var reference = E2eCase.Read(run);
        var tensors = reference.Tensors;
        using var temporary = new TempFolder();
        var folder = ModelFolder.Open(reference.WriteModel(temporary));
        using var network = AutoencoderDefinition.Read(folder, s_components.Single(folder.Components.ContainsKey)).Load(
            CPU, ScalarType.Float32);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var pictures = network.Decode(tensors.Float32("samples"));

        Assert.Equal(tensors.Shape(decoded), pictures.shape);
        TensorAssert.Close(pictures.data<float>().ToArray(), tensors.Values<float>(decoded), 2e-5, 1e-4, run);
    }
}
