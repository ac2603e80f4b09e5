using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Conditions;
using Taba.Silo.Models;

namespace Taba.Silo.Inputs;

/// <summary>Input files for plans: prompts of a dataset that is not here are as many as are asked for, and unknown.</summary>
public sealed class OutlineInputFiles(TensorInputFiles files) : IInputFiles
{
    /// <summary>The dataset of prompts, when a plan wants it and it is not here.</summary>
    public AbsentFile? Absent { get; private set; }

    public InputTensor Describe(string path) => files.Describe(path);

    public bool ArePictures(string path) => files.ArePictures(path);

    public ImageRows DescribePictures(string path, int height, int width) => files.DescribePictures(path, height, width);

    public (FeatureFile File, int Values) DescribeFeatures(string network, string path) => files.DescribeFeatures(network, path);

    public PictureSet DescribeReference(string path) => files.DescribeReference(path);

    public PromptRows DescribePrompts(ConditionRequest request, int samples)
    {
        try
        {
            return files.DescribePrompts(request, samples);
        }
        catch (NotPulledException absent)
        {
            Absent = new(absent.Name, $"https://huggingface.co/datasets/{PromptPaths.DatasetRepository}", null);
            return new(
                PromptPaths.Source(request), null, "unknown", request.CondSeed, request.NoisesPerPrompt, samples, RowByRow: false);
        }
    }
}
